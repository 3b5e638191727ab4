import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServedSchema } from '../offline-provider/serve-schema.ts';
import { TERRAFORM } from './configurations.ts';

/** What one call of Terraform said. */
export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

export type Terraform = (path: string, ...parameters: string[]) => Promise<Outcome>;

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Configurations read this file of the rest of the tree. */
const OUTSIDE = 'infra/telemetry/service-levels.json';

export async function terraformIsInstalled(): Promise<boolean> {
  return run('terraform', ['-version']).then(
    () => true,
    () => false,
  );
}

/**
 * Gives `work` a Terraform that runs on a copy of all configurations (its second argument), with the schema in place of the google provider:
 * what is written beside them is gone afterwards, and nothing is asked of a network.
 */
export async function withTerraform<R>(
  { environment }: ServedSchema,
  work: (terraform: Terraform, copy: string) => Promise<R>,
): Promise<R> {
  const copy = await mkdtemp(join(tmpdir(), 'terraform-'));
  try {
    const folder = join(copy, 'terraform');
    await cp(TERRAFORM, folder, { recursive: true });
    await cp(join(TERRAFORM, '..', OUTSIDE), join(copy, OUTSIDE));
    const settings = join(copy, 'terraform.rc');
    await writeFile(settings, 'disable_checkpoint = true\n');
    const env = { ...process.env, ...environment, TF_CLI_CONFIG_FILE: settings, TF_IN_AUTOMATION: '1' };
    const options = { env, maxBuffer: OUTPUT_BYTES_MAX };
    const terraform: Terraform = (path, ...parameters) =>
      outcomeOf(run('terraform', parameters, { ...options, cwd: join(folder, path) }));
    return await work(terraform, folder);
  } finally {
    await rm(copy, { recursive: true });
  }
}

/** A call that failed is an outcome, too: what it said is what is wrong. */
async function outcomeOf(call: Promise<{ stdout: string; stderr: string }>): Promise<Outcome> {
  try {
    const { stdout, stderr } = await call;
    return { ok: true, output: stdout + stderr };
  } catch (fault) {
    const { stdout = '', stderr = '' } = fault as { stdout?: string; stderr?: string };
    return { ok: false, output: stdout + stderr };
  }
}
