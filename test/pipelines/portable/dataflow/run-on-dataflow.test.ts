import { expect } from 'chai';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGoogleApi } from '#infra/engines/dataflow/google-api.ts';
import { JobNameTaken, openJobsApi } from '#infra/engines/dataflow/jobs-api.ts';
import { stageFile } from '#infra/engines/dataflow/staging.ts';
import type { DataflowJob } from '#infra/engines/dataflow/job.ts';
import { runnerApi } from '#pipelines/beam/sdk.ts';
import { NoSuchJob } from '#pipelines/portable/dataflow/launch.ts';
import { runOnDataflow, type DataflowRun } from '#pipelines/portable/dataflow/run-on-dataflow.ts';
import { openGoogleServer, type GoogleServer } from '#test/infra/engines/dataflow/google-server.ts';
import { promptScheduler } from '#test/infra/engines/dataflow/prompt-scheduler.ts';
import { ENVIRONMENT, usagePipeline } from './examples.ts';

describe('npm run pipeline -- --runner dataflow', () => {
  let server: GoogleServer;
  let lines: string[];
  beforeEach(async () => {
    server = await openGoogleServer();
    lines = [];
  });
  afterEach(() => server.close());

  /** The states that the newest job is in when it is asked for next: the first at once, each other a pause later. */
  const run = (more: Partial<DataflowRun>, states: string[] = ['JOB_STATE_DONE']): Promise<number> => {
    const next = (): void => {
      const job = [...server.jobs.values()].at(-1);
      const state = states.shift();
      if (job !== undefined && state !== undefined) job.currentState = state;
    };
    const { scheduler } = promptScheduler(next);
    return runOnDataflow({
      environment: ENVIRONMENT,
      buildPipeline: () => usagePipeline(),
      print: (line) => void lines.push(line),
      scheduler,
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
  /** A job that is active, and that nobody watches. */
  const launched = (): Promise<number> => run({ signal: AbortSignal.abort() });
  const failure = (act: Promise<unknown>): Promise<unknown> =>
    act.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('stages the pipeline before it asks for the job, and tells the states until it has ended', async () => {
    expect(await run({}, ['JOB_STATE_RUNNING', 'JOB_STATE_DRAINING', 'JOB_STATE_DRAINED'])).to.equal(0);
    expect(server.requests[0]).to.equal('POST /upload/storage/v1/b/acme-usage-millrace-dataflow/o');
    expect(lines.slice(1)).to.deep.equal([
      'JOB_STATE_PENDING',
      'JOB_STATE_RUNNING',
      'JOB_STATE_DRAINING',
      'JOB_STATE_DRAINED',
    ]);
    const [[file, bytes] = ['', Buffer.of()]] = [...server.files];
    const [job] = [...server.jobs.values()] as unknown as DataflowJob[];
    expect(job!.environment.sdkPipelineOptions.options['pipelineUrl']).to.equal(file);
    expect(runnerApi.Pipeline.fromBinary(bytes).requirements).to.deep.equal([
      'beam:requirement:pardo:splittable_dofn:v1',
    ]);
  });

  it('fails with a job that failed, and tells why', async () => {
    server.messages.push({
      ...{ id: 'm1', time: '2026-11-23T10:00:00.000Z', messageImportance: 'JOB_MESSAGE_ERROR' },
      messageText: 'Startup of the worker pool failed',
    });
    expect(await run({}, ['JOB_STATE_FAILED'])).to.equal(1);
    expect(lines.filter((line) => line.endsWith('Startup of the worker pool failed'))).to.have.length(1);
  });

  it('asks Google nothing in a dry run, and writes what it would send', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-dataflow-'));
    try {
      expect(await run({ dryRun: true, out: folder })).to.equal(0);
      expect(server.requests).to.deep.equal([]);
      const job = JSON.parse(await readFile(join(folder, 'job.json'), 'utf8')) as DataflowJob;
      expect(JSON.parse(lines.join('\n'))).to.deep.equal(job);
      await run({});
      const [bytes] = [...server.files.values()];
      expect((await readFile(join(folder, 'pipeline.pb'))).equals(bytes!)).to.equal(true);
      expect([...server.jobs.values()][0]).to.deep.include(job);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses a name that is taken, and starts a job beside it by another name', async () => {
    await launched();
    expect(await failure(run({}))).to.be.instanceOf(JobNameTaken);
    expect(await run({ name: 'millrace-usage-2' })).to.equal(0);
    expect([...server.jobs.values()].map(({ name }) => name)).to.deep.equal([
      'millrace-usage',
      'millrace-usage-2',
    ]);
  });

  it('stops watching when it is told to, and leaves the job alone', async () => {
    const gone = new AbortController();
    const status = await run(
      { signal: gone.signal, print: (line) => void (line === 'JOB_STATE_RUNNING' && gone.abort()) },
      ['JOB_STATE_RUNNING'],
    );
    expect(status).to.equal(0);
    expect(server.requests.filter((line) => line.startsWith('PUT'))).to.deep.equal([]);
  });

  it('replaces the active job of that name, with what it holds', async () => {
    await launched();
    expect(await run({ update: true })).to.equal(0);
    const [old, young] = [...server.jobs.values()];
    expect(old).to.deep.include({ currentState: 'JOB_STATE_UPDATED', replacedByJobId: young!.id });
    expect(young).to.deep.include({ replaceJobId: old!.id });
  });

  it('has a replacement checked without starting it', async () => {
    await launched();
    await run({ validate: true });
    const { environment, replaceJobId } = [...server.jobs.values()].at(-1) as unknown as DataflowJob;
    expect(environment.serviceOptions).to.deep.equal(['min_num_workers=1', 'graph_validate_only']);
    expect(replaceJobId).to.equal([...server.jobs.keys()][0]);
  });

  for (const [how, state] of [
    ['drain', 'JOB_STATE_DRAINED'],
    ['cancel', 'JOB_STATE_CANCELLED'],
  ] as const)
    it(`ends the job by its name: ${how}`, async () => {
      await launched();
      const asked = { [how]: true, buildPipeline: () => expect.fail('nothing is built') };
      expect(await run(asked, [state])).to.equal(0);
      expect(lines).to.include(how === 'drain' ? 'JOB_STATE_DRAINING' : 'JOB_STATE_CANCELLING');
    });

  it('tells nothing of what the job said before it was to end', async () => {
    await launched();
    const said = (id: string, time: string) =>
      server.messages.push({ id, time, messageText: id, messageImportance: 'JOB_MESSAGE_WARNING' });
    said('long ago', '1969-12-31T23:59:59.000Z');
    said('of the drain', '1970-01-01T00:00:01.000Z');
    await run({ drain: true }, ['JOB_STATE_DRAINED']);
    expect(lines.filter((line) => /long ago|of the drain/.test(line))).to.deep.equal([
      '1970-01-01T00:00:01.000Z of the drain',
    ]);
  });

  it('names the job that is not there', async () => {
    for (const how of [{ drain: true }, { cancel: true }, { update: true }, { validate: true }])
      expect(await failure(run(how))).to.be.instanceOf(NoSuchJob);
    expect(server.files.size).to.equal(0);
  });

  it('does one thing at a time', async () => {
    expect(String(await failure(run({ update: true, drain: true })))).to.include('either updated');
  });

  it('gives up with the words of the service, in lines for programs as well', async () => {
    server.faults.push({ status: 403, message: 'Required storage.objects.create permission' });
    expect(String(await failure(run({})))).to.include('Required storage.objects.create permission');
    expect(await run({ json: true })).to.equal(0);
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).to.deep.equal([
      'job',
      'state',
      'state',
    ]);
  });
});
