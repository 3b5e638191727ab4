import { inCloudSdk, onPath, pubsubEmulatorIn } from './cloud-sdk.ts';
import { findDocker, PUBSUB_IMAGE, startContainer } from './docker.ts';
import { EmulatorUnavailable, type EmulatorSettings, type RunningEmulator } from './emulator.ts';
import { fromFirstSource, withRetries } from './from-source.ts';
import { startGuarded, type GuardedProcess } from './guarded-process.ts';
import { answersAt, freePort, LOOPBACK } from './loopback.ts';
import { pointedTo } from './pointed-to.ts';
import { untilReady } from './until-ready.ts';

const VARIABLE = 'PUBSUB_EMULATOR_HOST';
/** Inside the image. */
const GRPC_PORT = 8_085;

/** Throws `EmulatorUnavailable` when no source has it. */
export async function openPubsubEmulator(settings: EmulatorSettings): Promise<RunningEmulator> {
  return (
    (await pointedTo('pubsub', [VARIABLE], settings.environment)) ??
    fromFirstSource([
      { name: 'Cloud SDK', find: () => withRetries(() => fromCloudSdk(settings)) },
      { name: 'Docker', find: () => withRetries(() => fromImage(settings)) },
    ])
  );
}

async function fromCloudSdk({ environment }: EmulatorSettings): Promise<RunningEmulator> {
  const jar = (await inCloudSdk(environment, pubsubEmulatorIn))?.part;
  if (jar === undefined) throw new EmulatorUnavailable('no pubsub-emulator component');
  const java = onPath('java', environment);
  if (java === undefined) throw new EmulatorUnavailable('the pubsub-emulator component needs java');
  const port = await freePort();
  const child = startGuarded({
    program: java,
    args: () => ['-jar', jar, `--host=${LOOPBACK}`, `--port=${port}`, `--iam_port=0`],
    environment,
  });
  return listening(jar, child, port);
}

async function fromImage({ environment }: EmulatorSettings): Promise<RunningEmulator> {
  const docker = await findDocker(environment);
  const port = await freePort();
  const container = {
    image: PUBSUB_IMAGE,
    ports: new Map([[GRPC_PORT, port]]),
    command: ['gcloud', 'beta', 'emulators', 'pubsub', 'start', `--host-port=0.0.0.0:${GRPC_PORT}`],
  };
  return listening(PUBSUB_IMAGE, await startContainer(docker, container, environment), port);
}

async function listening(source: string, child: GuardedProcess, port: number): Promise<RunningEmulator> {
  const address = `${LOOPBACK}:${port}`;
  await untilReady(
    child,
    async () => (child.output().includes('Server started') && (await answersAt(address))) || undefined,
  );
  return {
    name: 'pubsub',
    origin: 'started',
    what: `${source} at ${address}`,
    variables: { [VARIABLE]: address },
    stop: child.stop,
  };
}
