import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { systemScheduler } from '#infra/scheduler.ts';
import { tryLock, type Lock } from '#infra/topic/embedded/lock.ts';
import { isExecutable, onPath } from './cloud-sdk.ts';
import { EmulatorUnavailable, type EmulatorSettings } from './emulator.ts';
import { startGuarded } from './guarded-process.ts';

/** A binary of the pinned version, and whether it was built for this call. */
export interface BigqueryBinary {
  readonly path: string;
  readonly built: boolean;
}

export interface BuildSettings extends EmulatorSettings {
  /** The Go module that pins the emulator. */
  readonly module?: string;
  /** Not to be exceeded, waiting for another's build included; else `MILLRACE_BUILD_MINUTES`, or 20 minutes. */
  readonly limitMs?: number;
  /** Bytes of memory that a build may take. */
  readonly availableMemory?: number;
}

const PINNED_MODULE = resolve(import.meta.dirname, 'bigquery');
const PACKAGE = 'github.com/goccy/bigquery-emulator/cmd/bigquery-emulator';
const BINARY = 'bigquery-emulator';
const KEY_DIGITS = 16;
const POLL_MS = 250;
const MINUTE_MS = 60_000;
const DEFAULT_LIMIT_MINUTES = 20;
/** One compiler process takes 6.4 GB for the largest package; below this the system would end it, or worse, somebody else. */
const BUILD_MEMORY_MIN = 7_000_000_000;
/** Below this, packages are compiled one after another. */
const PARALLEL_BUILD_MEMORY_MIN = 14_000_000_000;
/** A build in the background leaves the processor to what somebody waits for. */
const BUILD_PRIORITY = 10;
const SHOWN_OUTPUT = 400;

/**
 * The pinned emulator's binary: from the user's cache, else built into it, which takes minutes. Of several processes one builds and the
 * others wait for it. Throws `EmulatorUnavailable` when it can neither be found nor built.
 */
export async function bigqueryBinary(settings: BuildSettings): Promise<BigqueryBinary> {
  const { environment, module = PINNED_MODULE, limitMs = limitOf(environment) } = settings;
  const cache = cacheFolder(environment);
  const entry = entryOf(module);
  const go = onPath('go', environment);
  if (go === undefined) {
    const path = anyCached(cache, entry);
    if (path !== undefined) return { path, built: false };
    throw new EmulatorUnavailable('it is built by Go, and there is no go');
  }
  const folder = join(cache, `${entry}-${await goVersion(go, module, environment)}`);
  const path = join(folder, BINARY);
  if (isExecutable(path)) return { path, built: false };
  await mkdir(folder, { recursive: true });
  const deadline = performance.now() + limitMs;
  const lock = await lockOrBuilt(folder, path, { deadline, say: settings.say });
  if (lock === undefined) return { path, built: false };
  try {
    // Another may have finished between the look and the lock.
    if (isExecutable(path)) return { path, built: false };
    await build({ go, module, path, deadline, ...settings });
    return { path, built: true };
  } finally {
    lock.release();
  }
}

/** Where the user keeps what can be made again: outside the checkout, so that a fresh clone need not build. */
export function cacheFolder({ MILLRACE_CACHE_DIR, XDG_CACHE_HOME, HOME = '.' }: NodeJS.ProcessEnv): string {
  return resolve(MILLRACE_CACHE_DIR || join(XDG_CACHE_HOME || join(HOME, '.cache'), 'millrace'));
}

function limitOf({ MILLRACE_BUILD_MINUTES }: NodeJS.ProcessEnv): number {
  if (!MILLRACE_BUILD_MINUTES) return DEFAULT_LIMIT_MINUTES * MINUTE_MS;
  if (/^\d{1,4}$/.test(MILLRACE_BUILD_MINUTES)) return Number(MILLRACE_BUILD_MINUTES) * MINUTE_MS;
  throw new Error(`MILLRACE_BUILD_MINUTES is no number of minutes: ${MILLRACE_BUILD_MINUTES}`);
}

/** What decides the bytes of the binary, but for the version of Go. */
function entryOf(module: string): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'tools.go']) hash.update(readFileSync(join(module, file)));
  return `${BINARY}-${hash.digest('hex').slice(0, KEY_DIGITS)}-${process.platform}-${process.arch}`;
}

/** Without Go to ask for its version, any version's will do. */
function anyCached(cache: string, entry: string): string | undefined {
  try {
    return readdirSync(cache)
      .filter((name) => name.startsWith(`${entry}-`))
      .map((name) => join(cache, name, BINARY))
      .find(isExecutable);
  } catch {
    return undefined;
  }
}

async function goVersion(go: string, module: string, environment: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(go, ['env', 'GOVERSION'], { cwd: module, env: environment });
    const version = stdout.trim();
    if (/^[\w.-]+$/.test(version)) return version;
    throw new EmulatorUnavailable(`go names no version: ${version}`);
  } catch (error) {
    if (error instanceof EmulatorUnavailable) throw error;
    throw new EmulatorUnavailable(
      `go does not run: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Undefined when another process has built it meanwhile. */
async function lockOrBuilt(
  folder: string,
  path: string,
  { deadline, say }: { deadline: number; say: EmulatorSettings['say'] },
): Promise<Lock | undefined> {
  for (let told = false; ; told = true) {
    const lock = tryLock(folder, 'build');
    if (lock !== undefined) return lock;
    if (isExecutable(path)) return undefined;
    if (!told) say('bigquery: another process is building the emulator, waiting for it');
    if (performance.now() > deadline)
      throw new EmulatorUnavailable('another process was still building it when the time was up');
    await systemScheduler.sleep(POLL_MS);
  }
}

interface Build extends BuildSettings {
  readonly go: string;
  readonly module: string;
  readonly path: string;
  readonly deadline: number;
}

/** To a name of its own first: nobody sees half a binary, whatever ends the build. */
async function build({ go, module, path, deadline, environment, say, ...settings }: Build): Promise<void> {
  const memory = settings.availableMemory ?? process.availableMemory();
  if (memory < BUILD_MEMORY_MIN)
    throw new EmulatorUnavailable(
      `building it takes ${gigabytes(BUILD_MEMORY_MIN)} of memory, ${gigabytes(memory)} are free`,
    );
  const unfinished = `${path}.${randomUUID()}`;
  const parallel = memory < PARALLEL_BUILD_MEMORY_MIN ? ['-p=1'] : [];
  const began = performance.now();
  say(
    'bigquery: building the emulator, once for this machine; without a build cache that takes 4 to 10 minutes',
  );
  const child = startGuarded({
    program: go,
    args: () => [
      'build',
      ...parallel,
      '-trimpath',
      '-mod=readonly',
      '-buildvcs=false',
      '-ldflags=-s -w',
      '-o',
      unfinished,
      PACKAGE,
    ],
    workingDirectory: module,
    environment: { ...environment, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
  });
  try {
    lowerPriority(child.pid);
    while (!child.hasExited() && performance.now() < deadline) await systemScheduler.sleep(POLL_MS);
    if (!child.hasExited()) throw new EmulatorUnavailable('it was not built when the time was up');
    if (child.exitCode() !== 0 || !isExecutable(unfinished))
      throw new EmulatorUnavailable(`the build failed: ${child.output().trim().slice(-SHOWN_OUTPUT)}`);
    await rename(unfinished, path);
    say(`bigquery: built in ${Math.round((performance.now() - began) / 1_000)} s: ${path}`);
  } finally {
    await child.stop();
    await rm(unfinished, { force: true });
  }
}

/** A process may lower its children's priority, but not always raise it. */
function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined && getPriority(pid) < BUILD_PRIORITY) setPriority(pid, BUILD_PRIORITY);
  } catch {
    // It has ended already.
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
