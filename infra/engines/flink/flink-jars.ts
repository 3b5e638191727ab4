import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { runInBackground } from '#infra/emulators/background-command.ts';
import { buildLimitMs, cacheFolder } from '#infra/emulators/cache-folder.ts';
import { onPath } from '#infra/emulators/cloud-sdk.ts';
import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import { preparedOnce } from '#infra/emulators/prepared-once.ts';
import { asEngine } from '../as-engine.ts';
import { EngineUnavailable } from '../engine.ts';
import { checksumsOf, differences, parseChecksums } from './jar-checksums.ts';
import { findJava, javaProgram } from './java.ts';

/** What Flink and Beam's runner on it are started from. */
export interface FlinkJars {
  readonly java: string;
  /** Our classes first, then every jar. */
  readonly classPath: string;
  readonly folder: string;
  /** Whether it was fetched for this call. */
  readonly fetched: boolean;
}

export interface FlinkJarsSettings extends EmulatorSettings {
  /** With the pom and the checksums. */
  readonly source?: string;
  /** Folders of Java that is compiled and comes before the jars: the patch of the source. */
  readonly patches?: readonly string[];
  /** What it is called, in sentences and in the cache folder. */
  readonly title?: string;
  /** What it takes in the cache folder, about. */
  readonly megabytes?: number;
  /** Not to be exceeded, waiting for another's preparation included; else `MILLRACE_BUILD_MINUTES`, or 20 minutes. */
  readonly limitMs?: number;
}

export const POM = 'pom.xml';
export const CHECKSUMS = 'jars.sha256';
const PATCH = 'patch';
const PLAIN_MEGABYTES = 160;
/** Beside this file: what is started where Java's own read of Pub/Sub is used. */
export const EXPANSION = 'expansion';
const EXPANSION_MEGABYTES = 190;
const JARS = 'jars';
const CLASSES = 'classes';
const KEY_DIGITS = 16;
const SHOWN_DIFFERENCES = 3;
/** Pinned like what it copies. */
const COPY_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';
/** The oldest release that Flink 1.15 and our options run on: the classes need not be made again where another Java is. */
const JAVA_RELEASE = '11';

/**
 * From the user's cache folder, else fetched into it by Maven and compiled, which takes a minute or two and 160 MB. Of several processes one does
 * it and the others wait. Every jar is compared with its checksum, at each call. Throws `EngineUnavailable` when it cannot be had here.
 */
export async function flinkJars(settings: FlinkJarsSettings): Promise<FlinkJars> {
  const { environment, say, limitMs = buildLimitMs(environment) } = settings;
  const { source = import.meta.dirname, patches = [join(source, PATCH)] } = settings;
  const { title = 'flink', megabytes = PLAIN_MEGABYTES } = settings;
  const java = await findJava(environment);
  const entry = join(cacheFolder(environment), `${title}-${keyOf(source, patches)}`);
  const folder = join(entry, 'ready');
  const deadline = performance.now() + limitMs;
  const { made } = await asEngine(() =>
    preparedOnce({
      folder: entry,
      deadline,
      waiting: `${title}: another process is fetching it, waiting for that`,
      say,
      find: () => (existsSync(folder) ? folder : undefined),
      make: () => prepare({ folder, source, patches, title, megabytes, deadline, environment, say }),
    }),
  );
  // What was made has been compared already.
  if (!made) await compare(folder, source);
  return { java, folder, fetched: made, classPath: classPathOf(folder) };
}

/**
 * The same with Java's read of Pub/Sub and the expansion service that it is had from: another set of jars, on one class path, with a patch of its own.
 * 190 MB.
 */
export function flinkJarsWithExpansion(settings: EmulatorSettings): Promise<FlinkJars> {
  const source = join(import.meta.dirname, EXPANSION);
  const patches = [join(import.meta.dirname, PATCH), join(source, PATCH)];
  return flinkJars({
    ...settings,
    source,
    patches,
    title: 'flink-expansion',
    megabytes: EXPANSION_MEGABYTES,
  });
}

const classPathOf = (folder: string): string =>
  [join(folder, CLASSES), join(folder, JARS, '*')].join(delimiter);

/** What decides the bytes of the folder. */
function keyOf(source: string, patches: readonly string[]): string {
  const hash = createHash('sha256');
  const pinned = [POM, CHECKSUMS].map((file) => join(source, file));
  for (const file of [...pinned, ...patches.flatMap(javaIn)]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, KEY_DIGITS);
}

const javaIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.java'))
    .sort()
    .map((file) => join(folder, file));

interface Preparing {
  readonly folder: string;
  readonly source: string;
  readonly patches: readonly string[];
  readonly title: string;
  readonly megabytes: number;
  readonly deadline: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly say: EmulatorSettings['say'];
}

/** To a name of its own first: nobody sees half of it, whatever ends this. */
async function prepare(preparing: Preparing): Promise<string> {
  const { folder, source, patches, title, megabytes, deadline, environment, say } = preparing;
  const unfinished = `${folder}.${randomUUID()}`;
  const javac = javaProgram('javac', environment);
  const began = performance.now();
  say(`${title}: fetching it with Maven, once for this machine; a minute or two, and ${megabytes} MB`);
  try {
    await fetchJars(join(source, POM), join(unfinished, JARS), { deadline, environment });
    await compare(unfinished, source);
    const classes = join(unfinished, CLASSES);
    await mkdir(classes);
    await runInBackground(
      {
        program: javac,
        args: () => [
          ...['--release', JAVA_RELEASE, '-Xlint:-options', '-nowarn'],
          ...['-cp', join(unfinished, JARS, '*'), '-d', classes],
          ...patches.flatMap(javaIn).map((file) => resolve(file)),
        ],
        environment,
      },
      { deadline, late: 'its patch was not compiled when the time was up', failed: 'its patch is no Java' },
    );
    await rename(unfinished, folder);
    say(`${title}: ready after ${Math.round((performance.now() - began) / 1_000)} s: ${folder}`);
    return folder;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Copies the jars of the pom and of all they depend on. Throws `EmulatorUnavailable` when Maven cannot, and `EngineUnavailable` without Maven. */
export async function fetchJars(
  pom: string,
  to: string,
  { deadline, environment }: { readonly deadline: number; readonly environment: NodeJS.ProcessEnv },
): Promise<void> {
  const maven = onPath('mvn', environment);
  if (maven === undefined) throw new EngineUnavailable('it is fetched by Maven, and there is no mvn');
  await runInBackground(
    {
      program: maven,
      args: () => [
        ...['--batch-mode', '--quiet', '--file', pom, COPY_GOAL],
        ...['-DincludeScope=runtime', `-DoutputDirectory=${to}`],
      ],
      environment,
    },
    { deadline, late: 'Maven was not done when the time was up', failed: 'Maven cannot fetch it' },
  );
}

async function compare(folder: string, source: string): Promise<void> {
  const expected = parseChecksums(readFileSync(join(source, CHECKSUMS), 'utf8'));
  const found = differences(expected, await checksumsOf(join(folder, JARS)));
  if (found.length === 0) return;
  const shown = found.slice(0, SHOWN_DIFFERENCES).join(', ');
  const more = found.length > SHOWN_DIFFERENCES ? ` and ${found.length - SHOWN_DIFFERENCES} more` : '';
  throw new EngineUnavailable(
    `its jars are not those of ${CHECKSUMS}: ${shown}${more}; they are fetched again when ${folder} is removed`,
  );
}
