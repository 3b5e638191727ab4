import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { apply } from '#pipelines/beam/graph.ts';
import { fnClients, grpc } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { openWorkerPool } from '#pipelines/beam/worker-pool.ts';
import type { WorkerPool } from '#pipelines/beam/worker-pool.ts';
import { eventually } from '#test/support/eventually.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';
import type { FnApiRunner } from '#test/support/fn-api-harness.ts';
import { Repeat } from './stages.ts';

type Answer = { readonly error: string };

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** What a runner asks a pool for. */
function askPool(endpoint: string) {
  const client = new fnClients.BeamFnExternalWorkerPoolClient(endpoint, grpc.credentials.createInsecure());
  const ask = (call: (reply: (error: Error | null, answer?: Answer) => void) => unknown): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    call((error, answer) => (error ? reject(error) : resolve(answer?.error ?? '')));
    return promise;
  };
  return {
    start: (workerId: string, url: string) =>
      ask((reply) => client.startWorker({ workerId, provisionEndpoint: { url }, params: {} }, reply)),
    stop: (workerId: string) => ask((reply) => client.stopWorker({ workerId }, reply)),
    close: () => client.close(),
  };
}

describe('the worker pool', () => {
  let pool: WorkerPool;
  let runner: FnApiRunner;
  let asking: ReturnType<typeof askPool>;
  beforeEach(async () => {
    pool = await openWorkerPool();
    asking = askPool(pool.endpoint);
    // A runner of the other kind starts no worker itself; what stands in its place only waits.
    const launch = () => spawn('sleep', ['600'], { stdio: ['ignore', 'pipe', 'pipe'] });
    runner = await startFnApiRunner({
      modules: ['millrace/test/pipelines/beam/stages'],
      provisioned: true,
      launch,
    });
  });
  afterEach(async () => {
    asking.close();
    await pool.close();
    await runner.close();
  });

  it('starts a process for each worker that a runner asks for, which runs its bundles', async () => {
    expect(await asking.start('a', runner.url)).to.equal('');
    expect(await asking.start('b', runner.url)).to.equal('');
    expect(new Set(pool.pids())).to.have.property('size', 2);
    await eventually('both have connected', () => runner.workerIds.length === 2);
    const stage = runner.stage((source) => apply('repeat', source, syncParDo(new Repeat(2))));
    expect((await runner.run(stage, [1])).outputs).to.deep.equal([1, 1]);
  });

  it('refuses a second worker of a name while the first one runs, and ends one when it is asked to', async () => {
    await asking.start('a', runner.url);
    const [pid = 0] = pool.pids();
    expect(await asking.start('a', runner.url)).to.contain('the worker a runs already');
    expect(await asking.stop('a')).to.equal('');
    expect([isAlive(pid), pool.pids()]).to.deep.equal([false, []]);
    expect(await asking.stop('a')).to.equal('');
    expect(await asking.start('a', runner.url)).to.equal('');
  });

  it('ends all its workers when it is closed', async () => {
    await asking.start('a', runner.url);
    await asking.start('b', runner.url);
    const pids = pool.pids();
    await pool.close();
    expect(pids.map(isAlive)).to.deep.equal([false, false]);
  });
});
