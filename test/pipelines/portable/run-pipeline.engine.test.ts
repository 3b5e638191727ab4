import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { workersBelow } from '#infra/engines/worker-processes.ts';
import { openTestPrism, useEngine } from '#test/support/engines.ts';
import { eventually } from '#test/support/eventually.ts';

interface Status {
  readonly state: string;
  readonly restarts: number;
  readonly workers?: number;
  readonly lagMs?: number;
}

const MAIN = resolve(import.meta.dirname, '../../../pipelines/portable/main.ts');
/** What moves on by itself is this far behind at most. */
const LAG_MS_MAX = 30_000;

describe('npm run pipeline on Prism', () => {
  // Built before the command needs it, and the reason where it cannot be.
  useEngine(openTestPrism);
  let folder: string;
  let child: ChildProcess;
  let last: Status | undefined;
  let said = '';
  const exited = Promise.withResolvers<number | null>();

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-pipeline-'));
    child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, '--runner', 'prism', '--readers', '1', '--json'],
      {
        env: {
          ...process.env,
          MILLRACE_BACKEND: 'embedded',
          MILLRACE_DATA_DIR: folder,
          MILLRACE_ACK_DEADLINE_SECONDS: '10',
          MILLRACE_HEALTH_HOST: '127.0.0.1',
          MILLRACE_HEALTH_PORT: '0',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.on('close', (code) => exited.resolve(code));
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    createInterface({ input: child.stdout! }).on('line', (line) => (last = JSON.parse(line) as Status));
  });
  after(async () => {
    child.kill('SIGKILL');
    await exited.promise;
    rmSync(folder, { recursive: true, force: true });
  });

  const until = (what: string, condition: (status: Status) => boolean): Promise<void> =>
    eventually(what, () => last !== undefined && condition(last), {
      explain: () => `${JSON.stringify(last)}\n${said.slice(-4_000)}`,
    });
  const isWell = ({ state, lagMs }: Status): boolean =>
    state === 'RUNNING' && lagMs !== undefined && lagMs < LAG_MS_MAX;
  /** The main process is the parent of Prism, which is the parent of the workers. */
  const worker = async (): Promise<number> => {
    const [pid] = (await workersBelow([child.pid!])) ?? [];
    if (pid === undefined) throw new Error('no worker lives');
    return pid;
  };

  it('runs the job, and what is published is soon committed', async () => {
    await until('it is well', (status) => isWell(status) && status.workers === 1);
  });

  it('submits the job again when its worker was killed, which Prism may not notice', async () => {
    process.kill(await worker(), 'SIGKILL');
    await until('it runs again', (status) => status.restarts === 1 && isWell(status) && status.workers === 1);
  });

  it('ends the job, its workers and Prism when it is told to stop, with exit code 0', async () => {
    const pid = await worker();
    child.kill('SIGTERM');
    expect(await exited.promise).to.equal(0);
    expect(() => process.kill(pid, 0)).to.throw(/ESRCH/);
  });
});
