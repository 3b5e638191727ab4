import { expect } from 'chai';
import { flinkOptions } from '#infra/engines/flink/job-options.ts';

describe('options of a Flink job', () => {
  it('are texts, since the runner takes no numbers', () => {
    for (const value of Object.values(flinkOptions({ checkpointUrl: 'file:///c' })))
      expect(value).to.be.a('string');
  });

  it('take checkpoints, without which the first worker that dies ends the job', () => {
    expect(flinkOptions({ checkpointUrl: 'gs://b/c', checkpointIntervalMs: 2_500 })).to.include({
      checkpointingInterval: '2500',
      stateBackend: 'filesystem',
      stateBackendStoragePath: 'gs://b/c',
      failOnCheckpointingErrors: 'false',
    });
  });

  it('refuse what is no number of anything', () => {
    for (const settings of [
      { parallelism: 0 },
      { parallelism: 1.5 },
      { parallelism: 129 },
      { maxParallelism: 40_000 },
      { checkpointIntervalMs: -1 },
      { bundleMsMax: NaN },
    ])
      expect(() => flinkOptions({ checkpointUrl: 'file:///c', ...settings })).to.throw(RangeError);
  });
});
