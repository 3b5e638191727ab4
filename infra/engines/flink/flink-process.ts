import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startGuarded, type GuardedProcess } from '#infra/emulators/guarded-process.ts';
import type { FlinkJars } from './flink-jars.ts';
import { JAVA_OPTIONS } from './java.ts';
import { newestLog, writeLogging } from './logging.ts';

/** A program of the jars, in a Java process of its own. */
export interface FlinkProgram {
  /** For its files in the log folder. */
  readonly name: string;
  readonly main: string;
  readonly args: readonly string[];
  readonly heapMb: number;
}

export interface FlinkProcessSettings {
  readonly jars: FlinkJars;
  readonly environment: NodeJS.ProcessEnv;
  /** Its log, and its output, which has that of the workers it starts as well. */
  readonly logs: string;
}

/** Starts it. It and the workers that it starts live no longer than we do. */
export async function startFlinkProcess(
  { name, main, args, heapMb }: FlinkProgram,
  { jars, environment, logs }: FlinkProcessSettings,
): Promise<GuardedProcess> {
  const logging = await writeLogging(logs, name);
  const outputPath = join(logs, `${name}.out`);
  // What an earlier one said, addresses among it, is not true any more.
  await rm(outputPath, { force: true });
  const process = startGuarded({
    program: jars.java,
    args: (directory) => [
      ...JAVA_OPTIONS,
      ...logging,
      `-Xmx${heapMb}m`,
      `-Djava.io.tmpdir=${directory}`,
      ...['-cp', jars.classPath],
      main,
      ...args,
    ],
    environment,
    outputPath,
  });
  // Why it ended is in its log, unless Java itself could not begin.
  return { ...process, output: () => firstErrors(newestLog(logs, name)) || process.output() };
}

const SHOWN_CHARACTERS = 500;

/** From the last severe line on, which says what ended it; the rest of a stack trace does not. */
const firstErrors = (log: string): string => {
  const at = log.lastIndexOf(' SEVERE ');
  return at < 0 ? '' : log.slice(at + 1, at + SHOWN_CHARACTERS);
};
