import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { runInBackground } from './background-command.ts';
import { buildLimitMs, cacheFolder } from './cache-folder.ts';
import { isExecutable, onPath } from './cloud-sdk.ts';
import { EmulatorUnavailable, type EmulatorSettings } from './emulator.ts';
import { preparedOnce } from './prepared-once.ts';

/** A program of another vendor that Go builds from pinned sources. */
export interface GoProgram {
  /** For people. */
  readonly name: string;
  /** The file's name, and what its folders begin with. */
  readonly binary: string;
  /** The folder of the Go module that pins it: `go.mod`, `go.sum` and `tools.go`. */
  readonly module: string;
  readonly package: string;
  /** Bytes. With less a build is not begun: the system would end it, or worse, somebody else. */
  readonly memoryMin: number;
  /** Bytes. With less, packages are compiled one after another. */
  readonly parallelMemoryMin: number;
  /** How long a build takes, for who waits for it. */
  readonly duration: string;
  /** One line that is built otherwise than it was published. */
  readonly change?: SourceChange;
}

export interface SourceChange {
  /** The path of the Go module that it is in. */
  readonly module: string;
  /** The folders of that module that are needed; the rest is not copied, but for its `go.mod`. */
  readonly parts: readonly string[];
  readonly file: string;
  /** Must be in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

/** A binary of the pinned version, and whether it was built for this call. */
export interface GoBinary {
  readonly path: string;
  readonly built: boolean;
}

export interface GoBuildSettings extends EmulatorSettings {
  /** Not to be exceeded, waiting for another's build included; else `MILLRACE_BUILD_MINUTES`, or 20 minutes. */
  readonly limitMs?: number;
  /** Bytes of memory that a build may take. */
  readonly availableMemory?: number;
}

const KEY_DIGITS = 16;
const DOWNLOAD_OUTPUT_BYTES_MAX = 1_000_000;

/**
 * The pinned program's binary: from the user's cache, else built into it, which takes minutes. Of several processes one builds and the
 * others wait for it. Throws `EmulatorUnavailable` when it can neither be found nor built.
 */
export async function goBinary(program: GoProgram, settings: GoBuildSettings): Promise<GoBinary> {
  const { environment, limitMs = buildLimitMs(environment) } = settings;
  const cache = cacheFolder(environment);
  const entry = entryOf(program);
  const go = onPath('go', environment);
  if (go === undefined) {
    const path = anyCached(cache, entry, program.binary);
    if (path !== undefined) return { path, built: false };
    throw new EmulatorUnavailable('it is built by Go, and there is no go');
  }
  const folder = join(cache, `${entry}-${await goVersion(go, program.module, environment)}`);
  const path = join(folder, program.binary);
  const deadline = performance.now() + limitMs;
  const { made } = await preparedOnce({
    folder,
    deadline,
    waiting: `${program.name}: another process is building it, waiting for it`,
    say: settings.say,
    find: () => (isExecutable(path) ? path : undefined),
    make: () => build(program, { go, path, deadline, ...settings }),
  });
  return { path, built: made };
}

/** What decides the bytes of the binary, but for the version of Go. */
function entryOf({ binary, module, change }: GoProgram): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'tools.go']) hash.update(readFileSync(join(module, file)));
  if (change !== undefined) hash.update(JSON.stringify(change));
  return `${binary}-${hash.digest('hex').slice(0, KEY_DIGITS)}-${process.platform}-${process.arch}`;
}

/** Without Go to ask for its version, any version's will do. */
function anyCached(cache: string, entry: string, binary: string): string | undefined {
  try {
    return readdirSync(cache)
      .filter((name) => name.startsWith(`${entry}-`))
      .map((name) => join(cache, name, binary))
      .find(isExecutable);
  } catch {
    return undefined;
  }
}

async function goVersion(go: string, module: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const version = (await runGo(go, ['env', 'GOVERSION'], { module, environment })).trim();
  if (/^[\w.-]+$/.test(version)) return version;
  throw new EmulatorUnavailable(`go names no version: ${version}`);
}

interface GoRun {
  readonly module: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

async function runGo(
  go: string,
  args: readonly string[],
  { module, environment, timeoutMs }: GoRun,
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(go, args, {
      cwd: module,
      env: environment,
      maxBuffer: DOWNLOAD_OUTPUT_BYTES_MAX,
      ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    });
    return stdout;
  } catch (error) {
    throw new EmulatorUnavailable(
      `go does not run: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

interface Build extends GoBuildSettings {
  readonly go: string;
  readonly path: string;
  readonly deadline: number;
}

/** To a name of its own first: nobody sees half a binary, whatever ends the build. */
async function build(program: GoProgram, settings: Build): Promise<string> {
  const { go, path, deadline, environment, say } = settings;
  const memory = settings.availableMemory ?? process.availableMemory();
  if (memory < program.memoryMin)
    throw new EmulatorUnavailable(
      `building it takes ${gigabytes(program.memoryMin)} of memory, ${gigabytes(memory)} are free`,
    );
  const unfinished = `${path}.${randomUUID()}`;
  const sources = `${unfinished}.sources`;
  const parallel = memory < program.parallelMemoryMin ? ['-p=1'] : [];
  const options = ['-trimpath', '-mod=readonly', '-buildvcs=false', '-ldflags=-s -w', '-o', unfinished];
  const began = performance.now();
  say(
    `${program.name}: building it, once for this machine; without a build cache that takes ${program.duration}`,
  );
  try {
    const buildEnvironment = { ...environment, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };
    const workingDirectory = await sourcesOf(program, sources, {
      go,
      environment: buildEnvironment,
      timeoutMs: Math.max(1, Math.round(deadline - performance.now())),
    });
    await runInBackground(
      {
        program: go,
        args: () => ['build', ...parallel, ...options, program.package],
        workingDirectory,
        environment: buildEnvironment,
      },
      { deadline, late: 'it was not built when the time was up', failed: 'the build failed' },
    );
    if (!isExecutable(unfinished)) throw new EmulatorUnavailable('the build failed: it left no program');
    await rename(unfinished, path);
    say(`${program.name}: built in ${Math.round((performance.now() - began) / 1_000)} s: ${path}`);
    return path;
  } finally {
    await rm(unfinished, { force: true });
    await rm(sources, { recursive: true, force: true });
  }
}

interface Fetching extends Omit<GoRun, 'module'> {
  readonly go: string;
}

/**
 * Where to build: the pinning module itself, or a copy of it that takes the changed module from beside it. Go checks the sums of what it
 * downloads before anything is copied; the one change is made in plain sight after that.
 */
async function sourcesOf(
  { module, change }: GoProgram,
  folder: string,
  { go, ...fetching }: Fetching,
): Promise<string> {
  if (change === undefined) return module;
  const told = await runGo(go, ['mod', 'download', '-json', change.module], { module, ...fetching });
  const { Dir: published } = JSON.parse(told) as { Dir?: string };
  if (published === undefined) throw new EmulatorUnavailable(`go has no sources of ${change.module}`);
  const copy = join(folder, 'changed');
  const text = readFileSync(join(published, change.file), 'utf8');
  if (text.split(change.from).length !== 2)
    throw new EmulatorUnavailable(`the line to change is not in ${change.file} of this version`);
  await mkdir(copy, { recursive: true });
  await copyFile(join(published, 'go.mod'), join(copy, 'go.mod'));
  for (const part of change.parts) await copyTree(join(published, part), join(copy, part));
  const changed = join(copy, change.file);
  await rm(changed);
  writeFileSync(changed, text.replace(change.from, change.to));
  for (const file of ['go.sum', 'tools.go']) await copyFile(join(module, file), join(folder, file));
  const pinned = readFileSync(join(module, 'go.mod'), 'utf8');
  writeFileSync(join(folder, 'go.mod'), `${pinned}\nreplace ${change.module} => ./changed\n`);
  return folder;
}

/** Into folders that may be written and removed, which those of Go's module cache may not. */
async function copyTree(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile())) {
    const target = join(to, relative(from, entry.parentPath), entry.name);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(entry.parentPath, entry.name), target);
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
