import { expect } from 'chai';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backfillPart } from '#infra/backfill/tables.ts';
import { openGoogleApi } from '#infra/engines/dataflow/google-api.ts';
import type { DataflowJob } from '#infra/engines/dataflow/job.ts';
import { openJobsApi } from '#infra/engines/dataflow/jobs-api.ts';
import { stageFile } from '#infra/engines/dataflow/staging.ts';
import { createLog } from '#infra/telemetry/create-log.ts';
import { workerCapabilities } from '#pipelines/beam/capabilities.ts';
import { readPipelineOptions } from '#pipelines/beam/pipeline-options.ts';
import { runnerApi, type PipelineProto } from '#pipelines/beam/sdk.ts';
import { modulesOf } from '#pipelines/beam/worker-settings.ts';
import {
  DataflowJobFailed,
  NotOnGoogleCloud,
  runBatchOnDataflow,
  type DataflowBatchRun,
} from '#pipelines/portable/dataflow/run-batch-on-dataflow.ts';
import { runnerV2Faults } from '#pipelines/portable/dataflow/runner-v2.ts';
import {
  openGoogleServer,
  unknownField,
  type GoogleServer,
} from '#test/infra/engines/dataflow/google-server.ts';
import { promptScheduler } from '#test/infra/engines/dataflow/prompt-scheduler.ts';
import { openStores } from '#test/support/local-stores.ts';
import { askToReconcile, copyScene, makeScene, type Scene } from '../batch/batch-scene.ts';
import { ENVIRONMENT, IMAGE } from './examples.ts';

/** Beam's two ways to have what comes behind a step read elsewhere than it. */
const SHUFFLES = ['beam:transform:group_by_key:v1', 'beam:transform:reshuffle:v1'];

describe('npm run pipeline -- --runner dataflow --batch', function () {
  this.timeout(120_000);
  let directory: string;
  let scene: Scene;
  let stores: string;
  let server: GoogleServer;
  let lines: string[];
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-dataflow-'));
    scene = await makeScene(join(directory, 'scene'), ['sum']);
    const opened = await openStores(scene.directory);
    await askToReconcile(opened, scene);
    await opened.close();
    stores = scene.directory;
  });
  after(() => rm(directory, { recursive: true }));
  beforeEach(async () => {
    server = await openGoogleServer();
    lines = [];
  });
  afterEach(() => server.close());

  /** On stores of this machine in the place of those on Google Cloud; each job is in the next of these states whenever it is asked for. */
  const run = (
    more: Partial<DataflowBatchRun>,
    stateOf = (): string => 'JOB_STATE_DONE',
  ): Promise<number> => {
    const { scheduler } = promptScheduler(() => {
      const job = [...server.jobs.values()].at(-1);
      if (job !== undefined) job.currentState = stateOf();
    });
    return runBatchOnDataflow({
      ...{ environment: ENVIRONMENT, what: 'reconcile', scheduler, log: createLog('silent') },
      print: (line) => void lines.push(line),
      signal: new AbortController().signal,
      openStores: () => openStores(stores),
      open: ({ project, region }) => {
        const call = openGoogleApi({ accessToken: async () => 't', scheduler });
        return {
          jobs: openJobsApi(call, { project, region, endpoint: server.endpoint }),
          stage: (place, content) => stageFile(call, place, content, server.endpoint),
        };
      },
      ...more,
    });
  };
  const failure = (act: Promise<unknown>): Promise<unknown> =>
    act.then(
      () => undefined,
      (error: unknown) => error,
    );
  /** The only job of a dry run, as it was printed and as it was written. */
  const dryRun = async (what: DataflowBatchRun['what']) => {
    const out = join(directory, what);
    expect(await run({ what, dryRun: true, out })).to.equal(0);
    const job = JSON.parse(lines.join('\n')) as DataflowJob;
    const written = join(out, job.name);
    expect(JSON.parse(await readFile(join(written, 'job.json'), 'utf8'))).to.deep.equal(job);
    return { job, proto: runnerApi.Pipeline.fromBinary(await readFile(join(written, 'pipeline.pb'))) };
  };

  for (const what of ['reconcile', 'backfill'] as const)
    describe(what, () => {
      let job: DataflowJob;
      let proto: PipelineProto;
      beforeEach(async () => ({ job, proto } = await dryRun(what)));

      it('prints the job that it would ask for, asks Dataflow nothing, and claims nothing', async () => {
        expect(server.requests).to.deep.equal([]);
        const parts = await partsIn(stores);
        expect(parts).to.not.be.empty;
        expect(parts.filter(({ worker }) => worker !== null)).to.deep.equal([]);
        lines = [];
        expect((await dryRun(what)).job, 'the same again').to.deep.equal(job);
      });

      it('is a batch job by all that it says, and nothing of it is of a streaming one', () => {
        expect(unknownField('Job', job, 'job')).to.equal(undefined);
        const { environment } = job;
        expect(job.type).to.equal('JOB_TYPE_BATCH');
        expect(environment.version['job_type']).to.equal('FNAPI_BATCH');
        expect(environment).to.not.have.property('streamingMode');
        expect(environment.serviceOptions).to.deep.equal([]);
        expect(environment.experiments).to.include('use_runner_v2');
        expect(environment.experiments.filter((name) => /streaming|windmill/.test(name))).to.deep.equal([]);
        expect(environment.sdkPipelineOptions.options['streaming']).to.equal(false);
      });

      it('breaks no rule of Runner v2, runs in one image by its digest, and everything in it has an end', () => {
        expect(runnerV2Faults(proto)).to.deep.equal([]);
        const environments = Object.values(proto.components?.environments ?? {});
        expect(environments).to.have.length(1);
        const [{ payload, capabilities } = { payload: Buffer.of(), capabilities: [] }] = environments;
        expect(runnerApi.DockerPayload.fromBinary(payload).containerImage).to.equal(IMAGE);
        expect(capabilities).to.have.members([...workerCapabilities()]);
        const collections = Object.values(proto.components?.pcollections ?? {});
        expect(collections.map(({ isBounded }) => isBounded)).to.not.include(
          runnerApi.IsBounded_Enum.UNBOUNDED,
        );
      });

      it('reads in parallel: between what lists the work and what reads it is a shuffle', () => {
        expect(shufflesBefore(proto, 'read')).to.deep.equal(['beam:transform:group_by_key:v1']);
      });

      it('names its modules to its workers, and the stores of Google Cloud', () => {
        const { options } = job.environment.sdkPipelineOptions;
        expect(modulesOf(readPipelineOptions({ options })).join()).to.include(`portable/batch/${what}-graph`);
        expect(options['millrace_environment']).to.include({ MILLRACE_BACKEND: 'gcp' });
      });
    });

  it('refuses stores that its workers would not reach, before it opens anything', async () => {
    const environment = { ...ENVIRONMENT, MILLRACE_BACKEND: 'embedded' };
    const openNone = (): never => {
      throw new Error('it opened stores');
    };
    for (const dryRun of [true, false]) {
      const error = await failure(run({ environment, dryRun, openStores: openNone }));
      expect(error).to.be.instanceOf(NotOnGoogleCloud);
    }
    expect(server.requests).to.deep.equal([]);
  });

  describe('without --dry-run', () => {
    let copies = 0;
    beforeEach(async () => {
      stores = (await copyScene(scene, `copy-${++copies}`)).directory;
    });
    afterEach(() => {
      stores = scene.directory;
    });

    it('submits a job that failed twice more, and then fails itself', async () => {
      const error = await failure(run({}, () => 'JOB_STATE_FAILED'));
      expect(error).to.be.instanceOf(DataflowJobFailed);
      const names = [...server.jobs.values()].map(({ name }) => name);
      expect(names.map((name) => name.slice(-2))).to.deep.equal(['-1', '-2', '-3']);
    });

    it('cancels the job that runs when it is told to stop, and submits no other', async () => {
      const told = new AbortController();
      const stateOf = (): string => {
        told.abort();
        return 'JOB_STATE_RUNNING';
      };
      expect(await failure(run({ signal: told.signal }, stateOf))).to.be.instanceOf(Error);
      expect(server.requests.filter((line) => line.startsWith('PUT'))).to.have.length(1);
      expect(server.jobs.size).to.equal(1);
    });

    it('submits a job for each step of the work, and goes on from what is stored', async () => {
      // These jobs do nothing: what they leave of their parts is counted by who submitted them; a comparison is not, and fails.
      expect(String(await failure(run({ what: 'backfill' })))).to.include('a day was not reported');
      expect((await partsIn(stores)).filter(({ state }) => state !== 'done')).to.deep.equal([]);
      const kinds = [...server.jobs.values()].map(({ name }) => name.split('-')[1]);
      expect(kinds).to.deep.equal(['backfill', 'reconcile']);
    });
  });
});

async function partsIn(directory: string) {
  const { database, close } = await openStores(directory);
  const parts = await Array.fromAsync(database.scan(backfillPart, { prefix: [] }));
  await close();
  return parts;
}

/** The shuffles on the way to a step, by its name, from the beginning. */
function shufflesBefore({ components }: PipelineProto, name: string): string[] {
  const steps = Object.values(components?.transforms ?? {}).filter((step) => step.subtransforms.length === 0);
  const makerOf = (collection: string) =>
    steps.find(({ outputs }) => Object.values(outputs).includes(collection));
  const found: string[] = [];
  let step = steps.find(({ uniqueName }) => uniqueName.split('/')[0] === name);
  expect(step, name).to.not.equal(undefined);
  while (step !== undefined) {
    const urn = step.spec?.urn ?? '';
    if (SHUFFLES.includes(urn)) found.unshift(urn);
    const [input] = Object.values(step.inputs);
    step = input === undefined ? undefined : makerOf(input);
  }
  return found;
}
