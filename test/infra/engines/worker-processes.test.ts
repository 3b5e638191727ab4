import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workersBelow } from '#infra/engines/worker-processes.ts';
import { eventually } from '#test/support/eventually.ts';

describe('the worker processes of an engine', () => {
  let folder: string;
  /** Each leads a group of its own, so that nothing it has started outlives the test. */
  const groups: number[] = [];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-workers-'));
    mkdirSync(join(folder, 'pipelines/beam'), { recursive: true });
    writeFileSync(join(folder, 'pipelines/beam/worker.ts'), 'setInterval(() => undefined, 1_000);');
  });
  after(() => {
    for (const leader of groups) process.kill(-leader, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** In the place of an engine: a process that starts a worker and something else. */
  const startEngine = async (): Promise<number> => {
    const worker = join(folder, 'pipelines/beam/worker.ts');
    const script = `for (const args of [[${JSON.stringify(worker)}], ['-e', 'setInterval(() => undefined, 1_000)']])
      require('node:child_process').spawn(process.execPath, args, { stdio: 'inherit' });
      process.on('SIGTERM', () => undefined);`;
    const engine = join(folder, 'engine.cjs');
    writeFileSync(engine, script);
    const { pid } = spawn(process.execPath, [engine], { stdio: 'ignore', detached: true });
    groups.push(pid!);
    return pid!;
  };

  it('are those that it has started and that live, and nothing else it has started', async () => {
    const engine = await startEngine();
    const other = await startEngine();
    await eventually('both have one', async () =>
      [await workersBelow([engine]), await workersBelow([other])].every((found) => found?.length === 1),
    );
    const both = await workersBelow([engine, other]);
    expect(both).to.have.length(2);
    const [worker] = (await workersBelow([engine])) ?? [];
    process.kill(worker!, 'SIGKILL');
    await eventually('it has gone', async () => (await workersBelow([engine]))?.length === 0);
    expect(await workersBelow([other])).to.have.length(1);
    for (const pid of (await workersBelow([other])) ?? []) process.kill(pid, 'SIGKILL');
  });

  it('cannot be seen where the engine is not of this machine', async () => {
    expect(await workersBelow([])).to.equal(undefined);
  });
});
