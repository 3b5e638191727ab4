import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Terraform } from './run-terraform.ts';

/** A change that must not go unnoticed: the checks are worth what they find. */
export interface Spoiling {
  /** What would be wrong. */
  readonly what: string;
  readonly path: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Which check notices it, and a part of what it says. */
  readonly noticedBy: 'validate' | 'test';
  readonly says: string;
}

export const SPOILINGS: readonly Spoiling[] = [
  {
    what: 'a misspelt argument',
    path: 'modules/pubsub',
    file: 'main.tf',
    from: 'max_delivery_attempts',
    to: 'max_delivery_attemps',
    noticedBy: 'validate',
    says: 'An argument named "max_delivery_attemps" is not expected here',
  },
  {
    what: 'a missing argument',
    path: 'modules/spanner',
    file: 'main.tf',
    from: '  config       = var.config\n',
    to: '',
    noticedBy: 'validate',
    says: 'The argument "config" is required',
  },
  {
    what: 'a database without protection',
    path: 'modules/spanner',
    file: 'variables.tf',
    from: 'default     = true',
    to: 'default     = false',
    noticedBy: 'test',
    says: 'Neither Terraform nor anybody else destroys it.',
  },
  {
    what: 'a topic that forgets after a day',
    path: 'modules/pubsub',
    file: 'main.tf',
    from: '7 * 86400',
    to: '1 * 86400',
    noticedBy: 'test',
    says: 'A replay needs seven days of messages.',
  },
  {
    what: 'a role too many',
    path: 'modules/iam',
    file: 'main.tf',
    from: 'migrate    = ["roles/bigquery.jobUser"]',
    to: 'migrate    = ["roles/bigquery.jobUser", "roles/bigquery.admin"]',
    noticedBy: 'test',
    says: 'Somebody has more, or less, than is listed here',
  },
  {
    what: 'an API that is open to everybody',
    path: 'modules/api',
    file: 'main.tf',
    from: 'count = var.public ? 1 : 0',
    to: 'count = 1',
    noticedBy: 'test',
    says: 'There is no invoker by default.',
  },
  {
    what: 'a service level without its alerts',
    path: 'modules/monitoring',
    file: 'service-levels.tf',
    from: '} if var.measured\n  ]',
    to: '} if var.measured && id != "usage-freshness"\n  ]',
    noticedBy: 'test',
    says: 'Each objective has its three alerts.',
  },
  {
    what: 'a launcher of jobs who may act as their account anywhere',
    path: 'modules/dataflow',
    file: 'main.tf',
    from: 'roles/iam.serviceAccountUser',
    to: 'roles/iam.serviceAccountTokenCreator',
    noticedBy: 'test',
    says: 'Workers run as their own account',
  },
];

/** Spoils the copy, looks whether that is noticed, and mends it. Gives what went wrong, or undefined. */
export async function unnoticed(
  { path, file, from, to, noticedBy, says }: Spoiling,
  terraform: Terraform,
  copy: string,
): Promise<string | undefined> {
  const target = join(copy, path, file);
  const sound = await readFile(target, 'utf8');
  if (!sound.includes(from)) return `${path}/${file} has no ${JSON.stringify(from)} to spoil`;
  await writeFile(target, sound.replace(from, to));
  try {
    const { ok, output } = await terraform(path, noticedBy, '-no-color');
    // Messages are broken into lines of the terminal's width.
    const said = output.replace(/\s+/g, ' ').includes(says);
    return !ok && said ? undefined : `terraform ${noticedBy} did not say "${says}":\n${output}`;
  } finally {
    await writeFile(target, sound);
  }
}
