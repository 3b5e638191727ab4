import { expect } from 'chai';
import { GoogleApiError, openGoogleApi } from '#infra/engines/dataflow/google-api.ts';
import type { DataflowJob } from '#infra/engines/dataflow/job.ts';
import { JobNameTaken, openJobsApi, type JobsApi } from '#infra/engines/dataflow/jobs-api.ts';
import { parseStoragePlace, stageFile } from '#infra/engines/dataflow/staging.ts';
import { openGoogleServer, type GoogleServer } from './google-server.ts';
import { promptScheduler } from './prompt-scheduler.ts';

const job = (
  name: string,
  clientRequestId: string,
  more: object = {},
): DataflowJob & { clientRequestId: string } =>
  ({
    name,
    clientRequestId,
    projectId: 'p',
    location: 'r',
    type: 'JOB_TYPE_STREAMING',
    steps: [],
    labels: {},
    ...more,
  }) as never;

describe('jobs on Dataflow', () => {
  let server: GoogleServer;
  let jobs: JobsApi;
  const call = () => openGoogleApi({ accessToken: async () => 't', scheduler: promptScheduler().scheduler });
  beforeEach(async () => {
    server = await openGoogleServer();
    jobs = openJobsApi(call(), { project: 'p', region: 'r', endpoint: server.endpoint });
  });
  afterEach(() => server.close());
  const failure = (act: Promise<unknown>): Promise<unknown> =>
    act.then(
      () => undefined,
      (error: unknown) => error,
    );

  it('are made once, though the answer is lost', async () => {
    server.faults.push('lost answer');
    const made = await jobs.create(job('usage', 'request-1'));
    expect([server.jobs.size, made.id, made.currentState]).to.deep.equal([
      1,
      [...server.jobs.keys()][0],
      'JOB_STATE_PENDING',
    ]);
  });

  it('are not made beside an active one of the same name', async () => {
    const first = await jobs.create(job('usage', 'request-1'));
    const error = await failure(jobs.create(job('usage', 'request-2')));
    expect(error).to.be.instanceOf(JobNameTaken).with.property('jobId', first.id);
    expect(server.jobs.size).to.equal(1);
  });

  it('are not made beside an active one of the same name where the service says so by 409', async () => {
    const first = await jobs.create(job('usage', 'request-1'));
    server.faults.push({ status: 409, message: 'There is already an active job named usage.' });
    expect(await failure(jobs.create(job('usage', 'request-2'))))
      .to.be.instanceOf(JobNameTaken)
      .with.property('jobId', first.id);
  });

  it('are refused for another conflict with its own words', async () => {
    server.faults.push({ status: 409, message: 'Another conflict' });
    const error = await failure(jobs.create(job('usage', 'request-1')));
    expect(error).to.be.instanceOf(GoogleApiError);
    expect(String(error)).to.include('Another conflict');
  });

  it('are refused with the field that Dataflow does not know', async () => {
    expect(String(await failure(jobs.create(job('usage', 'r', { worker: 1 }))))).to.include(
      'Unknown name "worker"',
    );
  });

  it('take the place of another once, though the answer is lost', async () => {
    const first = await jobs.create(job('usage', 'request-1'));
    server.faults.push('lost answer');
    const second = await jobs.create(job('usage', 'request-2', { replaceJobId: first.id }));
    expect(second.id).to.not.equal(first.id);
    expect((await jobs.get(first.id)).currentState).to.equal('JOB_STATE_UPDATED');
    expect(server.jobs.size).to.equal(2);
  });

  it('say why they cannot take the place of another', async () => {
    const first = await jobs.create(job('usage', 'request-1'));
    server.faults.push({
      status: 400,
      message: 'The new job is not compatible with 2026. The original job has not been aborted.',
    });
    const error = await failure(jobs.create(job('usage', 'request-2', { replaceJobId: first.id })));
    expect(error).to.be.instanceOf(GoogleApiError);
    expect(String(error)).to.include('not compatible');
  });

  it('are found by their whole name, on whatever page, while they are active', async () => {
    server.pageSize = 2;
    for (const name of ['usage-1', 'usage-2', 'usage-3', 'usage-4', 'usage'])
      await jobs.create(job(name, name));
    expect((await jobs.active('usage'))?.name).to.equal('usage');
    expect(await jobs.active('usag')).to.equal(undefined);
    server.jobs.get((await jobs.active('usage'))!.id)!.currentState = 'JOB_STATE_DRAINED';
    expect(await jobs.active('usage')).to.equal(undefined);
  });

  it('are drained and cancelled by asking for the state', async () => {
    const { id } = await jobs.create(job('usage', 'request-1'));
    await jobs.end(id, 'JOB_STATE_DRAINED');
    expect((await jobs.get(id)).currentState).to.equal('JOB_STATE_DRAINING');
    await jobs.end(id, 'JOB_STATE_CANCELLED');
    expect((await jobs.get(id)).currentState).to.equal('JOB_STATE_CANCELLING');
    server.jobs.get(id)!.currentState = 'JOB_STATE_CANCELLED';
    expect(await failure(jobs.end(id, 'JOB_STATE_DRAINED')))
      .to.be.instanceOf(GoogleApiError)
      .with.property('status', 400);
  });

  it('tell their messages from a time on', async () => {
    const { id } = await jobs.create(job('usage', 'request-1'));
    server.messages.push(
      {
        id: 'a',
        time: '2026-11-23T10:00:00.000Z',
        messageText: 'old',
        messageImportance: 'JOB_MESSAGE_WARNING',
      },
      {
        id: 'b',
        time: '2026-11-23T10:00:01.000Z',
        messageText: 'new',
        messageImportance: 'JOB_MESSAGE_ERROR',
      },
    );
    expect((await jobs.messages(id, undefined)).map((message) => message.messageText)).to.deep.equal([
      'old',
      'new',
    ]);
    expect((await jobs.messages(id, '2026-11-23T10:00:01.000Z')).map((message) => message.id)).to.deep.equal([
      'b',
    ]);
  });
});

describe('a file in the staging bucket', () => {
  let server: GoogleServer;
  beforeEach(async () => {
    server = await openGoogleServer();
  });
  afterEach(() => server.close());
  const place = { bucket: 'b-1', path: 'staging/a b/pipeline.pb' };
  const stage = (text: string): Promise<void> =>
    stageFile(
      openGoogleApi({ accessToken: async () => 't', scheduler: promptScheduler().scheduler }),
      place,
      new TextEncoder().encode(text),
      server.endpoint,
    );

  it('arrives as it is, once, though the answer is lost', async () => {
    server.faults.push('lost answer');
    await stage('bytes');
    expect(
      Object.fromEntries([...server.files].map(([name, bytes]) => [name, bytes.toString()])),
    ).to.deep.equal({
      'gs://b-1/staging/a b/pipeline.pb': 'bytes',
    });
  });

  it('stays when it is there already', async () => {
    await stage('first');
    await stage('second');
    expect(server.files.get('gs://b-1/staging/a b/pipeline.pb')?.toString()).to.equal('first');
  });

  it('has a place that is read strictly', () => {
    expect(parseStoragePlace('gs://b-1/x/y/')).to.deep.equal({ bucket: 'b-1', path: 'x/y' });
    expect(parseStoragePlace('gs://b-1')).to.deep.equal({ bucket: 'b-1', path: '' });
    for (const wrong of ['', 'b-1/x', 'https://b-1/x', 'gs://', 'gs:///x', 'gs://B/x', ' gs://b-1'])
      expect(parseStoragePlace(wrong), wrong).to.equal(undefined);
  });
});
