import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process of this machine, as the system lists it. */
interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** By this the command line of a worker is known, whoever started it. */
const WORKER_PROGRAM = 'pipelines/beam/worker.ts';
const LIST_MS_MAX = 5_000;
const LIST_BYTES_MAX = 8_000_000;

/**
 * The worker processes below these processes that live: what an engine of this machine has started. Undefined where there is no engine of this
 * machine, or the system does not tell.
 */
export const workersBelow = (pids: readonly number[]): Promise<readonly number[] | undefined> =>
  processesBelow(pids, WORKER_PROGRAM);

/** The same of any processes whose command line has this part. */
export async function processesBelow(
  pids: readonly number[],
  part: string,
): Promise<readonly number[] | undefined> {
  if (pids.length === 0) return undefined;
  const listed = await (process.platform === 'linux' ? listProc() : listByPs()).catch(() => undefined);
  if (listed === undefined) return undefined;
  const below = new Set(pids);
  // A child may be listed before its parent.
  for (let size = -1; size !== below.size;) {
    size = below.size;
    for (const { pid, parent } of listed) if (below.has(parent)) below.add(pid);
  }
  return listed.filter(({ pid, command }) => below.has(pid) && command.includes(part)).map(({ pid }) => pid);
}

async function listProc(): Promise<readonly Listed[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => readProc(pid).catch(() => [])));
  return found.flat();
}

/** Nothing for one that has ended and only waits to be noticed. */
async function readProc(pid: string): Promise<readonly Listed[]> {
  const [stat, commandLine] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
  ]);
  // The name, in parentheses, may hold anything.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return [];
  return [{ pid: Number(pid), parent: Number(parent), command: commandLine.replaceAll('\0', ' ') }];
}

async function listByPs(): Promise<readonly Listed[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], {
    timeout: LIST_MS_MAX,
    maxBuffer: LIST_BYTES_MAX,
  });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state, command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), parent: Number(parent), command }];
  });
}
