import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { onPath } from './cloud-sdk.ts';
import { EmulatorUnavailable } from './emulator.ts';
import { startGuarded, type GuardedProcess } from './guarded-process.ts';
import { LOOPBACK } from './loopback.ts';

/** The images, with their versions: what is tested on one is tested on the other. */
export const SPANNER_IMAGE = 'gcr.io/cloud-spanner-emulator/emulator:1.5.28';
export const PUBSUB_IMAGE = 'gcr.io/google.com/cloudsdktool/google-cloud-cli:528.0.0-emulators';
export const BIGQUERY_IMAGE = 'ghcr.io/goccy/bigquery-emulator:0.8.1';

const INFO_MS_MAX = 10_000;
const PULL_MS_MAX = 300_000;

export interface Container {
  readonly image: string;
  /** Host port by the port inside; all on the loopback interface. */
  readonly ports: ReadonlyMap<number, number>;
  readonly command: readonly string[];
}

/** The docker client, when an engine answers it. Throws `EmulatorUnavailable` when there is none. */
export async function findDocker(environment: NodeJS.ProcessEnv): Promise<string> {
  const docker = onPath('docker', environment);
  if (docker === undefined) throw new EmulatorUnavailable('no docker');
  try {
    const args = ['info', '--format', '{{.ServerVersion}}'];
    await promisify(execFile)(docker, args, { env: environment, timeout: INFO_MS_MAX });
    return docker;
  } catch {
    throw new EmulatorUnavailable('no docker engine answers');
  }
}

/** Runs an image until it is stopped or we die. Throws `EmulatorUnavailable` when the image cannot be had. */
export async function startContainer(
  docker: string,
  { image, ports, command }: Container,
  environment: NodeJS.ProcessEnv,
): Promise<GuardedProcess> {
  await havingImage(docker, image, environment);
  const name = `millrace-${randomUUID()}`;
  const published = [...ports].flatMap(([inside, outside]) => ['-p', `${LOOPBACK}:${outside}:${inside}`]);
  return startGuarded({
    program: docker,
    args: () => ['run', '--rm', '--init', '--name', name, ...published, image, ...command],
    environment,
    endCommand: [docker, 'kill', name],
  });
}

async function havingImage(docker: string, image: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const run = (args: readonly string[]): Promise<unknown> =>
    promisify(execFile)(docker, args, { env: environment, timeout: PULL_MS_MAX });
  try {
    await run(['image', 'inspect', image]).catch(() => run(['pull', '--quiet', image]));
  } catch {
    throw new EmulatorUnavailable(`docker has no image ${image} and cannot pull it`);
  }
}
