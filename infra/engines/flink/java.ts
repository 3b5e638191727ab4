import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isExecutable, onPath } from '#infra/emulators/cloud-sdk.ts';
import { EngineUnavailable } from '../engine.ts';

/** Flink 1.15 runs from Java 8 on; the options of `JAVA_OPTIONS` exist since 9, and 11 is the oldest release that still gets repairs. */
const JAVA_VERSION_MIN = 11;
const VERSION_MS_MAX = 20_000;
/** `17.0.15`, `21`, or the old form `1.8.0_412`. */
const VERSION = /version "(?:1\.)?(\d+)/;

/** Flink's serializers look into classes of the JDK, which has closed them since. */
const OPENED_PACKAGES = [
  'java.lang',
  'java.lang.invoke',
  'java.lang.reflect',
  'java.io',
  'java.math',
  'java.net',
  'java.nio',
  'java.security',
  'java.text',
  'java.time',
  'java.util',
  'java.util.concurrent',
  'java.util.concurrent.atomic',
  'sun.nio.ch',
  'sun.net.util',
];

/**
 * For every program of Flink. One that has no memory left ends, so that whoever watches it sees that; it would linger on else. The optimizing
 * compiler stays out: on the few cores that an engine shares here with its workers, it takes more for minutes than it ever gives back.
 */
export const JAVA_OPTIONS: readonly string[] = [
  ...OPENED_PACKAGES.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.net.preferIPv4Stack=true',
];

/** A program of the JDK: below `JAVA_HOME`, where that is set, else on the search path. Throws `EngineUnavailable` when there is none. */
export function javaProgram(name: 'java' | 'javac', environment: NodeJS.ProcessEnv): string {
  const home = environment['JAVA_HOME'];
  const ofHome = home ? join(home, 'bin', name) : undefined;
  if (ofHome !== undefined && isExecutable(ofHome)) return ofHome;
  const program = onPath(name, environment);
  if (program === undefined)
    throw new EngineUnavailable(`it needs a JDK ${JAVA_VERSION_MIN} or later, and there is no ${name}`);
  return program;
}

/** The `java` that is recent enough. Throws `EngineUnavailable` when there is none. */
export async function findJava(environment: NodeJS.ProcessEnv): Promise<string> {
  const java = javaProgram('java', environment);
  const version = await versionOf(java, environment);
  if (version >= JAVA_VERSION_MIN) return java;
  throw new EngineUnavailable(`it needs Java ${JAVA_VERSION_MIN} or later, ${java} is Java ${version}`);
}

async function versionOf(java: string, environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { stderr } = await promisify(execFile)(java, ['-version'], {
      env: environment,
      timeout: VERSION_MS_MAX,
    });
    const version = VERSION.exec(stderr)?.[1];
    if (version !== undefined) return Number(version);
  } catch {
    // The reason is the same: it does not say what it is.
  }
  throw new EngineUnavailable(`${java} names no version`);
}
