import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Where its installers put it. */
const USUAL_FOLDERS = [
  '/usr/lib/google-cloud-sdk',
  '/usr/lib64/google-cloud-sdk',
  '/usr/share/google-cloud-sdk',
  '/usr/local/google-cloud-sdk',
  '/opt/google-cloud-sdk',
  '/google-cloud-sdk',
  '/snap/google-cloud-cli/current',
  '/opt/homebrew/share/google-cloud-sdk',
  '/usr/local/share/google-cloud-sdk',
];
const HOME_FOLDER = 'google-cloud-sdk';
const INFO_MS_MAX = 20_000;

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program of that name on the search path, or undefined. */
export const onPath = (program: string, { PATH = '' }: NodeJS.ProcessEnv): string | undefined =>
  PATH.split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find(isExecutable);

/** What one of the root folders of the Cloud SDK has, asked in the order of cost: `gcloud` itself is slow, and often unnecessary. */
export async function inCloudSdk<Part>(
  environment: NodeJS.ProcessEnv,
  part: (root: string) => Part | undefined,
): Promise<{ readonly root: string; readonly part: Part } | undefined> {
  for (const root of quickRoots(environment)) {
    const found = part(root);
    if (found !== undefined) return { root, part: found };
  }
  const root = await rootByGcloud(environment);
  const found = root === undefined ? undefined : part(root);
  return root === undefined || found === undefined ? undefined : { root, part: found };
}

function quickRoots(environment: NodeJS.ProcessEnv): string[] {
  const gcloud = onPath('gcloud', environment);
  // <root>/bin/gcloud, wherever a link on the search path leads.
  const byPath = gcloud === undefined ? [] : [dirname(dirname(realpathSync(gcloud)))];
  const byHome = environment['HOME'] ? [join(environment['HOME'], HOME_FOLDER)] : [];
  return [...byPath, ...byHome, ...USUAL_FOLDERS];
}

async function rootByGcloud(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const gcloud = onPath('gcloud', environment);
  if (gcloud === undefined) return undefined;
  try {
    const args = ['info', '--format=value(installation.sdk_root)'];
    const { stdout } = await promisify(execFile)(gcloud, args, { env: environment, timeout: INFO_MS_MAX });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** `<root>/bin/cloud_spanner_emulator/emulator_main`: the gRPC server; its gateway beside it only adds REST. */
export function spannerEmulatorIn(root: string): string | undefined {
  const program = join(root, 'bin/cloud_spanner_emulator/emulator_main');
  return isExecutable(program) ? program : undefined;
}

/** `<root>/platform/pubsub-emulator/lib/cloud-pubsub-emulator-<version>-all.jar` */
export function pubsubEmulatorIn(root: string): string | undefined {
  const folder = join(root, 'platform/pubsub-emulator/lib');
  try {
    const jar = readdirSync(folder).find((file) => /^cloud-pubsub-emulator-.+-all\.jar$/.test(file));
    return jar === undefined ? undefined : join(folder, jar);
  } catch {
    return undefined;
  }
}
