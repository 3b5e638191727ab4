import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE_BYTES_MAX = 16_000_000;
const FILES_MAX = 3;
/** `Rest endpoint listening at …` of every mini cluster: read from the output of the process. */
const ADDRESS_LOGGER = 'org.apache.flink.runtime.dispatcher.DispatcherRestEndpoint';
/** Two lines every checkpoint, or a stack trace whenever a worker ends: neither tells anything that the REST interface does not. */
const QUIET_LOGGERS = [
  'org.apache.flink.runtime.checkpoint.CheckpointCoordinator',
  'org.apache.beam.sdk.fn.data.BeamFnDataGrpcMultiplexer',
  'org.apache.flink.runtime.metrics',
];

/**
 * Writes the settings of a process's log, and returns the Java options that name them. The log goes to files in the folder that replace each other,
 * so that a process that runs for months fills no disk.
 */
export async function writeLogging(folder: string, processName: string): Promise<readonly string[]> {
  const path = join(folder, `${processName}.logging.properties`);
  // A percent sign has a meaning in a pattern.
  const pattern = `${join(folder, processName).replaceAll('%', '%%')}.%g.log`;
  await writeFile(path, formatLogging(pattern));
  return [`-Djava.util.logging.config.file=${path}`];
}

/** The newest file of a process's log; empty before its first line. */
export function newestLog(folder: string, processName: string): string {
  try {
    return readFileSync(`${join(folder, processName)}.0.log`, 'utf8');
  } catch {
    return '';
  }
}

const formatLogging = (pattern: string): string =>
  Object.entries({
    handlers: 'java.util.logging.FileHandler',
    '.level': 'INFO',
    'java.util.logging.FileHandler.pattern': pattern,
    'java.util.logging.FileHandler.limit': FILE_BYTES_MAX,
    'java.util.logging.FileHandler.count': FILES_MAX,
    'java.util.logging.FileHandler.formatter': 'java.util.logging.SimpleFormatter',
    'java.util.logging.ConsoleHandler.formatter': 'java.util.logging.SimpleFormatter',
    'java.util.logging.SimpleFormatter.format': '%1$tFT%1$tT.%1$tL %4$s %3$s %5$s%6$s%n',
    [`${ADDRESS_LOGGER}.handlers`]: 'java.util.logging.ConsoleHandler',
    ...Object.fromEntries(QUIET_LOGGERS.map((logger) => [`${logger}.level`, 'WARNING'])),
  })
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
