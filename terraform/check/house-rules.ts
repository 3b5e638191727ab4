import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProviderSchema } from '../offline-provider/schema.ts';
import { usedTypes } from '../offline-provider/used-types.ts';
import { blocksOf, configurations, TERRAFORM } from './configurations.ts';
import { descriptionOf, withTables } from './describe-module.ts';
import { argument, type TopBlock } from './hcl-blocks.ts';

/** What Terraform itself does not ask for. Each rule gives what is wrong, a line each; nothing when it holds. */
export const HOUSE_RULES: Readonly<Record<string, (schema: ProviderSchema) => string[]>> = {
  'the schema has the types that are used, and no others': schemaFaults,
  'everything that can have labels has them': (schema) => faultsOf((block) => labelFaults(schema, block)),
  'the platform hands its keys and labels to every module that takes them': wiringFaults,
  'no account has a primitive role': () => faultsOf(roleFaults),
  'nothing is open to everybody, but the API where that is chosen': () => faultsOf(publicFaults),
  'no secret has its value here': () => faultsOf(secretFaults),
  'every variable and output is described, and every variable has a type': () => faultsOf(descriptionFaults),
  'every README shows the variables and outputs as they are': readmeFaults,
  'every alert has its runbook': runbookFaults,
};

type BlockRule = (block: TopBlock, path: string) => string[];

const faultsOf = (rule: BlockRule): string[] =>
  configurations().flatMap(({ path }) =>
    blocksOf(path).flatMap((block) =>
      rule(block, path).map((fault) => `${path}: ${[block.kind, ...block.names].join(' ')} ${fault}`),
    ),
  );

function schemaFaults({ resources, dataSources }: ProviderSchema): string[] {
  const used = usedTypes(TERRAFORM);
  const compare = (wanted: readonly string[], had: readonly string[]): string[] => [
    ...wanted.filter((type) => !had.includes(type)).map((type) => `${type} is missing`),
    ...had.filter((type) => !wanted.includes(type)).map((type) => `${type} is not used any more`),
  ];
  const faults = [
    ...compare(used.resources, Object.keys(resources)),
    ...compare(used.dataSources, Object.keys(dataSources)),
  ];
  return faults.length === 0 ? [] : [...faults, 'npm run generate:terraform-schema makes it again'];
}

/** Labels are `labels`, or `user_labels` in Cloud Monitoring, where `labels` means something else. */
export function labelFaults(
  { resources }: ProviderSchema,
  { kind, names: [type = ''], body }: TopBlock,
): string[] {
  if (kind !== 'resource') return [];
  const { attributes = {} } = resources[type] ?? {};
  const name = ['user_labels', 'labels'].find((known) => known in attributes);
  return name === undefined || argument(body, name) !== undefined ? [] : [`has no ${name}`];
}

/** A store that is made without the platform's key would be encrypted with another, and nobody would see it. */
function wiringFaults(): string[] {
  const calls = blocksOf('modules/platform').filter(({ kind }) => kind === 'module');
  return calls.flatMap(({ names: [name = ''], body }) => {
    const path = `modules/${argument(body, 'source')?.replace(/^"\.\.\/|"$/g, '') ?? ''}`;
    const takes = blocksOf(path).flatMap(({ kind, names }) => (kind === 'variable' ? names : []));
    return ['kms_key', 'labels']
      .filter((given) => takes.includes(given) && !(argument(body, given) ?? '').includes('local.'))
      .map((given) => `modules/platform: module ${name} is not given ${given}`);
  });
}

export const roleFaults: BlockRule = ({ body }) =>
  [...body.matchAll(/roles\/(?:owner|editor|viewer)\b/g)].map(([role]) => `gives ${role}`);

const OPEN_API = 'modules/api google_cloud_run_v2_service_iam_member public';

export const publicFaults: BlockRule = ({ kind, names, body }, path) =>
  kind === 'resource' &&
  /"all(?:Authenticated)?Users"/.test(body) &&
  `${path} ${names.join(' ')}` !== OPEN_API
    ? ['is open to everybody']
    : [];

export const secretFaults: BlockRule = ({ kind, names: [type = ''] }) =>
  kind === 'resource' && /secret_manager_secret_version|service_account_key|kms_secret_ciphertext/.test(type)
    ? ['would put a secret into the state']
    : [];

const descriptionFaults: BlockRule = ({ kind, body }) => {
  if (kind !== 'variable' && kind !== 'output') return [];
  return [
    ...(descriptionOf(body) === '' ? ['has no description'] : []),
    ...(kind === 'variable' && argument(body, 'type') === undefined ? ['has no type'] : []),
  ];
};

function readmeFaults(): string[] {
  const stale = configurations().filter(({ path }) => {
    const file = join(TERRAFORM, path, 'README.md');
    if (!existsSync(file)) return true;
    const readme = readFileSync(file, 'utf8');
    return withTables(readme, blocksOf(path)) !== readme;
  });
  return stale.map(({ path }) => `${path}/README.md; npm run generate:terraform makes it again`);
}

/** The names of alerts are the keys of the watches and the ids of the service levels. */
function runbookFaults(): string[] {
  const root = join(TERRAFORM, '..');
  const levels = JSON.parse(readFileSync(join(root, 'infra/telemetry/service-levels.json'), 'utf8')) as {
    id: string;
  }[];
  const watches = readFileSync(join(TERRAFORM, 'modules/monitoring/watches.tf'), 'utf8');
  const alerts = [
    ...levels.map(({ id }) => id),
    ...[...watches.matchAll(/^ {6}([a-z-]+) = \{$/gm)].map(([, name = '']) => name),
  ];
  const page = readFileSync(join(root, 'docs/runbooks/alerts.md'), 'utf8');
  const parts = [...page.matchAll(/^## ([a-z-]+)$/gm)].map(([, name = '']) => name);
  return [
    ...alerts
      .filter((name) => !parts.includes(name))
      .map((name) => `${name} has no part in docs/runbooks/alerts.md`),
    ...parts
      .filter((name) => !alerts.includes(name))
      .map((name) => `docs/runbooks/alerts.md: there is no alert ${name}`),
  ];
}
