import { inCloudSdk, onPath, spannerEmulatorIn } from './cloud-sdk.ts';
import { findDocker, SPANNER_IMAGE, startContainer } from './docker.ts';
import { EmulatorUnavailable, type EmulatorSettings, type RunningEmulator } from './emulator.ts';
import { fromFirstSource, withRetries } from './from-source.ts';
import { startGuarded } from './guarded-process.ts';
import { answersAt, freePort, LOOPBACK } from './loopback.ts';
import { pointedTo } from './pointed-to.ts';
import { untilReady } from './until-ready.ts';

const VARIABLE = 'SPANNER_EMULATOR_HOST';
/** Of the image. */
const GRPC_PORT = 9_010;
const ADDRESS = /Server address: (\S+:\d+)/;

/** Throws `EmulatorUnavailable` when no source has it. */
export async function openSpannerEmulator(settings: EmulatorSettings): Promise<RunningEmulator> {
  return (
    (await pointedTo('spanner', [VARIABLE], settings.environment)) ??
    fromFirstSource([
      { name: 'Cloud SDK', find: () => fromCloudSdk(settings) },
      { name: 'Docker', find: () => withRetries(() => fromImage(settings)) },
    ])
  );
}

async function fromCloudSdk({ environment }: EmulatorSettings): Promise<RunningEmulator> {
  const inSdk = await inCloudSdk(environment, spannerEmulatorIn);
  const program = inSdk?.part ?? onPath('emulator_main', environment);
  if (program === undefined) throw new EmulatorUnavailable('no cloud_spanner_emulator component');
  const child = startGuarded({
    program,
    // It takes a free port by itself, and says which.
    args: () => ['--host_port', `${LOOPBACK}:0`],
    environment,
  });
  const address = await untilReady(child, async () => ADDRESS.exec(child.output())?.[1]);
  return started(`${program} at ${address}`, address, child.stop);
}

async function fromImage({ environment }: EmulatorSettings): Promise<RunningEmulator> {
  const docker = await findDocker(environment);
  const port = await freePort();
  const container = { image: SPANNER_IMAGE, ports: new Map([[GRPC_PORT, port]]), command: [] };
  const child = await startContainer(docker, container, environment);
  const address = `${LOOPBACK}:${port}`;
  await untilReady(
    child,
    async () => (child.output().includes('running') && (await answersAt(address))) || undefined,
  );
  return started(`${SPANNER_IMAGE} at ${address}`, address, child.stop);
}

const started = (what: string, address: string, stop: () => Promise<void>): RunningEmulator => ({
  name: 'spanner',
  origin: 'started',
  what,
  variables: { [VARIABLE]: address },
  stop,
});
