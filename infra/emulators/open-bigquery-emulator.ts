import { join } from 'node:path';
import { bigqueryBinary } from './bigquery-binary.ts';
import { BIGQUERY_IMAGE, findDocker, startContainer } from './docker.ts';
import { projectOf, type EmulatorOrigin, type EmulatorSettings, type RunningEmulator } from './emulator.ts';
import { fromFirstSource, withRetries } from './from-source.ts';
import { startGuarded, type GuardedProcess } from './guarded-process.ts';
import { answersAt, freePort, LOOPBACK } from './loopback.ts';
import { pointedTo } from './pointed-to.ts';
import { untilReady } from './until-ready.ts';

/** Of the REST server (a URL), and of the gRPC server of the Storage Write API (host:port). */
const VARIABLES = ['BIGQUERY_EMULATOR_HOST', 'BIGQUERY_STORAGE_EMULATOR_HOST'] as const;
/** Inside the image. */
const [REST_PORT, GRPC_PORT] = [9_050, 9_060];

/**
 * Without these a second concurrent writer is refused with `database is locked`, and the emulator may hang. It appends `?cache=shared` to
 * what it is given, which would bring that back: the last parameter takes it in.
 */
const STORAGE =
  '?_txlock=immediate&_pragma=busy_timeout(30000)&_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_x=';

/** Throws `EmulatorUnavailable` when no source has it. */
export async function openBigqueryEmulator(settings: EmulatorSettings): Promise<RunningEmulator> {
  return (
    (await pointedTo('bigquery', VARIABLES, settings.environment)) ??
    fromFirstSource([
      { name: 'Go module', find: () => fromBinary(settings) },
      { name: 'Docker', find: () => withRetries(() => fromImage(settings)) },
    ])
  );
}

const options = (project: string, [rest, grpc]: readonly [number, number], database: string): string[] => [
  `--project=${project}`,
  `--port=${rest}`,
  `--grpc-port=${grpc}`,
  '--log-level=error',
  `--database=${database}${STORAGE}`,
];

async function fromBinary(settings: EmulatorSettings): Promise<RunningEmulator> {
  const { path, built } = await bigqueryBinary(settings);
  return withRetries(async () => {
    const ports = [await freePort(), await freePort()] as const;
    const child = startGuarded({
      program: path,
      args: (directory) => [
        // Its default is every interface.
        `--host=${LOOPBACK}`,
        ...options(projectOf(settings.environment), ports, join(directory, 'bigquery.db')),
      ],
      environment: settings.environment,
    });
    return listening({ source: path, origin: built ? 'built' : 'started', child, ports });
  });
}

async function fromImage({ environment }: EmulatorSettings): Promise<RunningEmulator> {
  const docker = await findDocker(environment);
  const ports = [await freePort(), await freePort()] as const;
  const container = {
    image: BIGQUERY_IMAGE,
    ports: new Map([
      [REST_PORT, ports[0]],
      [GRPC_PORT, ports[1]],
    ]),
    command: options(projectOf(environment), [REST_PORT, GRPC_PORT], 'bigquery.db'),
  };
  const child = await startContainer(docker, container, environment);
  return listening({ source: BIGQUERY_IMAGE, origin: 'started', child, ports });
}

interface Listening {
  readonly source: string;
  readonly origin: EmulatorOrigin;
  readonly child: GuardedProcess;
  readonly ports: readonly [number, number];
}

async function listening({ source, origin, child, ports }: Listening): Promise<RunningEmulator> {
  const [rest, grpc] = ports.map((port) => `${LOOPBACK}:${port}`) as [string, string];
  await untilReady(
    child,
    async () =>
      (child.output().includes('gRPC server listening') &&
        (await answersAt(rest)) &&
        (await answersAt(grpc))) ||
      undefined,
  );
  return {
    name: 'bigquery',
    origin,
    what: `${source} at http://${rest}, storage at ${grpc}`,
    variables: { [VARIABLES[0]]: `http://${rest}`, [VARIABLES[1]]: grpc },
    stop: child.stop,
  };
}
