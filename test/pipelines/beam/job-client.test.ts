import { expect } from 'chai';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { cancelJobs } from '#pipelines/beam/cancel-jobs.ts';
import type { WorkerEnvironment } from '#pipelines/beam/environments.ts';
import { pinEnvironment } from '#pipelines/beam/environments.ts';
import { apply, buildGraph } from '#pipelines/beam/graph.ts';
import type { BuildGraph } from '#pipelines/beam/graph.ts';
import {
  JobFailed,
  JobRefused,
  JobServiceUnavailable,
  submitJob,
  untilDone,
} from '#pipelines/beam/job-client.ts';
import type { Job } from '#pipelines/beam/job-client.ts';
import { NotPortable } from '#pipelines/beam/portability.ts';
import { runnerApi, structs } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { eventually } from '#test/support/eventually.ts';
import {
  startJobService,
  type JobServiceHarness,
  type SubmittedJob,
} from '#test/support/job-service-harness.ts';
import { Repeat, Sink } from './stages.ts';

const PROCESS: WorkerEnvironment = { kind: 'process', command: '/boot', environment: { A: 'b' } };
const twice: BuildGraph<number> = (source) => {
  apply('sink', apply('repeat', source, syncParDo(new Repeat(2))), asyncParDo(new Sink<number>()));
};

describe('submitting a job', () => {
  let service: JobServiceHarness;
  beforeEach(async () => {
    service = await startJobService();
  });
  afterEach(() => service.close());

  const submit = (changed: Partial<Parameters<typeof submitJob>[0]> = {}): Promise<Job> =>
    submitJob({
      endpoint: service.endpoint,
      name: 'usage',
      proto: buildGraph(twice).proto,
      environment: PROCESS,
      ...changed,
    });
  const onlyJob = (): SubmittedJob => {
    const [job] = [...service.jobs.values()];
    if (job === undefined) throw new Error('nothing was submitted');
    return job;
  };
  const optionsSent = (): unknown => {
    const { pipelineOptions } = onlyJob().request;
    return pipelineOptions && structs.Struct.toJson(pipelineOptions);
  };
  const heard = (job: Job): Promise<void> => eventually('it is heard', () => service.isHeard(job.id));

  it('prepares and runs it, with its workers pinned and nothing to stage', async () => {
    const job = await submit();
    expect(service.calls.slice(0, 2)).to.deep.equal(['prepare', 'run']);
    expect(job.id).to.equal(onlyJob().id);
    const { pipeline, jobName } = onlyJob().request;
    expect(jobName).to.equal('usage');
    const environments = Object.values(pipeline?.components?.environments ?? {});
    expect(environments).to.have.length(1);
    for (const { urn, payload, dependencies } of environments) {
      expect(urn).to.equal('beam:env:process:v1');
      expect(runnerApi.ProcessPayload.fromBinary(payload)).to.include({ command: '/boot' });
      expect(dependencies).to.deep.equal([]);
    }
    job.release();
  });

  it('sends options under the names that runners know, drops what is undefined, and says what its workers load', async () => {
    const job = await submit({
      options: { sdkWorkerParallelism: '2', maxBundleSize: undefined, experiments: ['a'] },
    });
    expect(optionsSent()).to.include({
      'beam:option:job_name:v1': 'usage',
      'beam:option:sdk_worker_parallelism:v1': '2',
    });
    expect(optionsSent()).to.have.deep.property('beam:option:experiments:v1', ['a']);
    expect(optionsSent()).not.to.have.property('beam:option:max_bundle_size:v1');
    expect(optionsSent()).not.to.have.property('beam:option:streaming:v1');
    expect(optionsSent())
      .to.have.property('beam:option:registered_node_modules:v1')
      .that.includes('millrace/test/pipelines/beam/stages');
    job.release();
  });

  it('streams when a collection has no end', async () => {
    const { proto } = buildGraph(twice);
    const [collection] = Object.values(proto.components?.pcollections ?? {});
    if (collection) collection.isBounded = runnerApi.IsBounded_Enum.UNBOUNDED;
    (await submit({ proto })).release();
    expect(optionsSent()).to.include({ 'beam:option:streaming:v1': true });
  });

  it('sends pipelines that are larger than what gRPC takes when nobody says otherwise', async () => {
    const command = 'x'.repeat(6_000_000);
    (await submit({ environment: { ...PROCESS, command } })).release();
    expect(onlyJob().request.pipeline).not.to.equal(undefined);
  });

  it('does not submit what is not portable', async () => {
    const { proto } = buildGraph<number>((source) => void source.map((value: number) => value + 1));
    const error = await submit({ proto }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(NotPortable);
    expect(service.calls).to.deep.equal([]);
  });

  it('tells the runner’s own words when it refuses', async () => {
    service.faults.refuse = { call: 'prepare', details: 'unsupported features: timers' };
    const error = await submit().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(JobRefused);
    expect((error as Error).message).to.include('unsupported features: timers');
  });

  it('says that nothing answers where nothing does', async () => {
    service.close();
    const error = await submit().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(JobServiceUnavailable);
    expect((error as Error).message).to.include(service.endpoint);
  }).timeout(30_000);

  describe('a job that was submitted', () => {
    it('has ended when its runner says so', async () => {
      const job = await submit();
      expect(await job.state()).to.equal('RUNNING');
      service.setState(job.id, 'DONE');
      service.endStream(job.id);
      expect(await job.ended).to.deep.equal({ state: 'DONE' });
      await untilDone(job);
      expect(await job.state()).to.equal('DONE');
    });

    it('has ended also when the stream in which the runner tells has broken', async () => {
      service.faults.breakStream = true;
      const job = await submit();
      service.setState(job.id, 'DONE');
      expect(await job.ended).to.deep.equal({ state: 'DONE' });
    });

    it('failed for the reason that the runner gave after the state', async () => {
      const job = await submit();
      await heard(job);
      service.say(job.id, 'worker started');
      service.setState(job.id, 'FAILED');
      service.say(job.id, 'bundle failed: no such table', true);
      service.endStream(job.id);
      expect(await job.ended).to.deep.equal({ state: 'FAILED', reason: 'bundle failed: no such table' });
      const error = await untilDone(job).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(JobFailed);
      expect((error as Error).message).to.include('no such table');
    });

    it('keeps the last hundred of its messages, each cut', async () => {
      const job = await submit();
      await heard(job);
      for (let i = 0; i < 1_000; i++) service.say(job.id, `${i} ${'x'.repeat(9_000)}`);
      await eventually('the last has come', () => job.messages().at(-1)?.text.startsWith('999 ') === true);
      expect(job.messages()).to.have.length(100);
      expect(job.messages()[0]?.text.startsWith('900 ')).to.equal(true);
      expect(job.messages()[0]?.text).to.have.length(4_000);
      job.release();
    });

    it('is lost when its service answers, and knows nothing of it', async () => {
      const job = await submit();
      service.jobs.clear();
      expect(await job.ended).to.deep.equal({
        state: 'LOST',
        reason: 'the job service refused to tell the state of the job: not found',
      });
    });

    it('ends when it is cancelled, and a second time nothing happens', async () => {
      const job = await submit();
      await job.cancel();
      service.endStream(job.id);
      expect((await job.ended).state).to.equal('CANCELLED');
      await job.cancel();
      expect(service.calls.filter((call) => call === 'cancel')).to.have.length(1);
    });

    it('goes on when it is released', async () => {
      const job = await submit();
      job.release();
      expect(onlyJob().state).to.equal('RUNNING');
    });
  });

  describe('cancelling by name', () => {
    it('ends all that go on under the name, and no other', async () => {
      const jobs = [await submit(), await submit(), await submit({ name: 'batch' })];
      await cancelJobs(service.endpoint, 'usage');
      expect([...service.jobs.values()].map(({ state }) => state)).to.deep.equal([
        'CANCELLED',
        'CANCELLED',
        'RUNNING',
      ]);
      jobs.forEach((job) => job.release());
    });

    it('is harmless where there is none', async () => {
      await cancelJobs(service.endpoint, 'usage');
      expect(service.calls).not.to.include('cancel');
    });
  });
});

describe('pinning environments', () => {
  const pinned = (environment: WorkerEnvironment) =>
    Object.values(pinEnvironment(buildGraph(twice).proto, environment).components?.environments ?? {});

  it('leaves what was given as it is, so that one pipeline may go to several runners', () => {
    const { proto } = buildGraph(twice);
    const before = runnerApi.Pipeline.toJsonString(proto);
    pinEnvironment(proto, PROCESS);
    expect(runnerApi.Pipeline.toJsonString(proto)).to.equal(before);
  });

  it('names a worker pool, a command or an image', () => {
    const [pool] = pinned({ kind: 'external', endpoint: 'localhost:1' });
    expect(pool?.urn).to.equal('beam:env:external:v1');
    expect(runnerApi.ExternalPayload.fromBinary(pool!.payload).endpoint?.url).to.equal('localhost:1');
    const [container] = pinned({ kind: 'container', image: 'registry/image@sha256:1' });
    expect(container?.urn).to.equal('beam:env:docker:v1');
    expect(runnerApi.DockerPayload.fromBinary(container!.payload).containerImage).to.equal(
      'registry/image@sha256:1',
    );
  });

  it('may be done again', () => {
    const once = pinEnvironment(buildGraph(twice).proto, PROCESS);
    const [again] = Object.values(
      pinEnvironment(once, { kind: 'external', endpoint: 'localhost:1' }).components?.environments ?? {},
    );
    expect(again?.urn).to.equal('beam:env:external:v1');
  });
});
