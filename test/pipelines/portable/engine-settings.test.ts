import { expect } from 'chai';
import { engineSettingsOf } from '#pipelines/portable/engine-settings.ts';
import { parsePipelineArguments } from '#pipelines/portable/pipeline-arguments.ts';

const settingsOf = (...args: string[]) => {
  const parsed = { ...parsePipelineArguments(['--runner', 'flink', ...args]), runner: 'flink' as const };
  return engineSettingsOf({ args: parsed, environment: {}, say: () => undefined });
};

describe('the settings of an engine', () => {
  it('have a worker process for each part of a job, spread evenly over the TaskManagers', () => {
    expect(settingsOf('--parallelism', '3').workers).to.equal(3);
    expect(settingsOf('--parallelism', '3', '--task-managers', '2').workers).to.equal(2);
    expect(settingsOf('--parallelism', '2', '--task-managers', '2').workers).to.equal(1);
  });

  it('have as many worker processes as the arguments say', () => {
    expect(settingsOf('--parallelism', '4', '--workers', '1').workers).to.equal(1);
  });

  it('have Java read where the arguments say so', () => {
    expect(settingsOf('--read', 'java', '--folder', 'there')).to.include({ read: 'java', folder: 'there' });
  });

  it('leave to the engine what the arguments do not say', () => {
    expect(settingsOf()).to.have.all.keys('runner', 'environment', 'say');
  });
});
