import { expect } from 'chai';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { freePort } from '#infra/emulators/loopback.ts';
import { FlinkRefused, FlinkUnreachable } from '#infra/engines/flink/rest-call.ts';
import { flinkRest, SavepointFailed, type FlinkRest } from '#infra/engines/flink/rest.ts';
import { FlinkJobGoesOn, jobsOn, stopJobsOn } from '#infra/engines/flink/running-jobs.ts';
import type { Scheduler } from '#infra/scheduler.ts';

type Answer = (
  request: IncomingMessage,
  body: string,
) => { readonly status?: number; readonly json?: unknown };

/** Time passes as soon as somebody waits for it. */
const hasty: Scheduler = { now: () => 0, sleep: async () => undefined };
const overview = (...states: readonly string[]): unknown => ({
  jobs: states.map((state, i) => ({ jid: `id${i}`, name: 'usage', state, 'start-time': i, more: true })),
});

describe("Flink's REST interface", () => {
  let rest: FlinkRest;
  let answer: Answer;
  let asked: string[];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''} ${body}`.trim());
      const { status = 200, json = {} } = answer(request, body);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof json === 'string' ? json : JSON.stringify(json));
    });
  });
  before((done) => void server.listen(0, '127.0.0.1', () => done()));
  after((done) => void server.close(() => done()));
  beforeEach(() => {
    asked = [];
    rest = flinkRest(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, hasty);
  });

  it('tells the jobs, and of them those of a name that have not ended', async () => {
    answer = () => ({ json: overview('RUNNING', 'CANCELED', 'RESTARTING', 'FINISHED') });
    expect((await rest.jobs())[0]).to.deep.equal({
      id: 'id0',
      name: 'usage',
      state: 'RUNNING',
      startedAtMs: 0,
    });
    expect((await jobsOn([rest], 'usage')).map(({ state }) => state)).to.deep.equal([
      'RUNNING',
      'RESTARTING',
    ]);
    expect(await jobsOn([rest], 'other')).to.deep.equal([]);
  });

  it('cancels every job of the name, once, and waits until it has ended', async () => {
    const states = ['RUNNING', 'RUNNING', 'CANCELLING', 'CANCELLING', 'CANCELED'];
    answer = ({ method }) => ({ json: method === 'GET' ? overview(states.shift()!) : {} });
    await stopJobsOn([rest], 'usage', hasty);
    expect(asked.filter((each) => each.startsWith('PATCH'))).to.deep.equal([
      'PATCH /jobs/id0?mode=cancel',
      'PATCH /jobs/id0?mode=cancel',
    ]);
    expect(states).to.deep.equal([]);
  });

  it('says so when a job goes on though it was cancelled', async () => {
    answer = () => ({ json: overview('CANCELLING') });
    await stopJobsOn([rest], 'usage', hasty).then(
      () => expect.fail('it has ended'),
      (error: unknown) => expect(error).to.be.instanceOf(FlinkJobGoesOn),
    );
  });

  it('takes a job that has ended, or that Flink has forgotten, for cancelled', async () => {
    for (const status of [404, 409]) {
      answer = () => ({ status });
      await rest.cancel('gone');
    }
  });

  it('takes a mini cluster that has gone for the end of its job, and one that answers with an error for none', async () => {
    expect(await jobsOn([flinkRest(`http://127.0.0.1:${await freePort()}`, hasty)])).to.deep.equal([]);
    answer = () => ({ status: 500, json: { errors: ['overloaded'] } });
    await jobsOn([rest]).then(
      () => expect.fail('it has answered'),
      (error: unknown) => expect(error).to.be.instanceOf(FlinkRefused).with.property('status', 500),
    );
  });

  it('waits for a savepoint, and says why there is none', async () => {
    const progress = [
      { status: { id: 'IN_PROGRESS' } },
      { status: { id: 'COMPLETED' }, operation: { location: 'file:/s/1' } },
      {
        status: { id: 'COMPLETED' },
        operation: { 'failure-cause': { class: 'E', 'stack-trace': 'disk full' } },
      },
    ];
    answer = ({ method }) => ({ json: method === 'POST' ? { 'request-id': 'r' } : progress.shift() });
    expect(await rest.stop('id0', { folder: 'file:/s' })).to.equal('file:/s/1');
    expect(asked[0]).to.equal('POST /jobs/id0/stop {"targetDirectory":"file:/s","drain":false}');
    await rest.savepoint('id0', 'file:/s').then(
      () => expect.fail('there is one'),
      (error: unknown) =>
        expect(error).to.be.instanceOf(SavepointFailed).with.property('message', 'disk full'),
    );
  });

  it('tells restarts, checkpoints and who waits for whom, also where Flink has no figure yet', async () => {
    answer = () => ({ json: [{ id: 'fullRestarts', value: '3' }, { id: 'numRestarts' }] });
    expect(await rest.restarts('id0')).to.equal(3);
    answer = () => ({ json: [] });
    expect(await rest.restarts('id0')).to.equal(undefined);
    const counts = { completed: 1, failed: 0, in_progress: 0, restored: 0, total: 1 };
    answer = () => ({ json: { counts, latest: { completed: null, restored: null } } });
    expect(await rest.checkpoints('id0')).to.include({ completed: 1, latest: undefined });
    answer = () => ({
      json: {
        status: 'ok',
        subtasks: [
          { ratio: 0.4, busyRatio: 'NaN' },
          { ratio: 0, busyRatio: 0.9 },
        ],
      },
    });
    expect(await rest.backPressure('id0', 'v')).to.deep.equal({ level: undefined, waits: 0.4, works: 0.9 });
  });

  it('believes no answer of another form, nor one without end', async () => {
    for (const json of ['<html>', { jobs: [{ jid: 1 }] }, ' '.repeat(9_000_000)]) {
      answer = () => ({ json });
      await rest.jobs().then(
        () => expect.fail('it was believed'),
        (error: unknown) => expect(error).to.be.instanceOf(FlinkUnreachable),
      );
    }
  });
});
