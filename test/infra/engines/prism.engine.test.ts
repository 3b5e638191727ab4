import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { answersAt, splitAddress } from '#infra/emulators/loopback.ts';
import type { WorkerEnvironment } from '#pipelines/beam/environments.ts';
import { submitJob, untilDone } from '#pipelines/beam/job-client.ts';
import { openWorkerPool } from '#pipelines/beam/worker-pool.ts';
import { openTestPrism, useEngine } from '#test/support/engines.ts';
import { eventually } from '#test/support/eventually.ts';
import { boundedJob, endlessJob, EXPECTED_GROUPS, linesOf, processWorkers } from './jobs.ts';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('Prism', () => {
  const prism = useEngine(openTestPrism);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-prism-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const runBounded = async (file: string, environment: WorkerEnvironment): Promise<void> => {
    const path = join(folder, file);
    const job = await submitJob({
      endpoint: prism().jobEndpoint,
      name: file,
      proto: boundedJob(path),
      environment,
    });
    await untilDone(job);
    const groups = linesOf(path).map(({ pid: _, ...group }) => group);
    expect(groups.sort((a, b) => Number(a.key) - Number(b.key))).to.deep.equal(EXPECTED_GROUPS);
  };

  it('runs a bounded job with workers that it starts itself', () => runBounded('process', processWorkers()));

  it('runs a bounded job with workers of a worker pool', async () => {
    const pool = await openWorkerPool();
    try {
      await runBounded('external', { kind: 'external', endpoint: pool.endpoint });
    } finally {
      await pool.close();
    }
  });

  it('ends an endless job and its workers when it is told to stop it by name', async () => {
    const path = join(folder, 'endless');
    const job = await submitJob({
      endpoint: prism().jobEndpoint,
      name: 'endless',
      proto: endlessJob(path),
      environment: processWorkers(),
    });
    await eventually('three rounds', () => linesOf(path).length >= 3, {
      explain: () => JSON.stringify(job.messages()),
    });
    await prism().stopJob('endless');
    expect((await job.ended).state).to.equal('CANCELLED');
    const [{ pid } = { pid: 0 }] = linesOf(path);
    await eventually('the worker has ended', () => !isAlive(pid));
    await prism().stopJob('endless');
  });

  it('listens on the loopback interface and no other', async () => {
    const { port } = splitAddress(prism().jobEndpoint);
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) expect(await answersAt(`${address}:${port}`), address).to.equal(false);
  });

  it('says why, when it has ended though nobody closed it', async () => {
    const engine = await openTestPrism();
    try {
      for (const pid of engine.pids) process.kill(pid, 'SIGKILL');
      expect(await engine.exited).to.match(/^Prism ended/);
    } finally {
      await engine.close();
    }
  });
});
