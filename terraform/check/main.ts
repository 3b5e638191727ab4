import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProviderSchema } from '../offline-provider/schema.ts';
import { serveSchema } from '../offline-provider/serve-schema.ts';
import { configurations, TERRAFORM, type Configuration } from './configurations.ts';
import { HOUSE_RULES } from './house-rules.ts';
import { SPOILINGS, unnoticed } from './spoilings.ts';
import { terraformIsInstalled, withTerraform, type Terraform } from './run-terraform.ts';

/**
 * `npm run test:terraform`: everything that can be known of the configurations without a cloud. House rules are checked on the text; then
 * each configuration is formatted, validated and tested by Terraform, offline. A list of names (`-- pubsub prod`) checks only those.
 */
const AT_ONCE = 2;
let passed = 0;
let failed = 0;

function tell(name: string, ok: boolean, output: string): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
  if (!ok) console.log(output.replace(/^/gm, '     '));
}

async function check(terraform: Terraform, { path, hasTests }: Configuration): Promise<void> {
  const init = await terraform(path, 'init', '-backend=false', '-input=false', '-no-color');
  if (!init.ok) return tell(`${path}: init`, false, init.output);
  const valid = await terraform(path, 'validate', '-no-color');
  tell(`${path}: valid`, valid.ok, valid.output);
  if (!hasTests || !valid.ok) return;
  const tests = await terraform(path, 'test', '-no-color');
  tell(`${path}: ${/\d+ passed, \d+ failed/.exec(tests.output)?.[0] ?? 'tests'}`, tests.ok, tests.output);
}

async function checkAll(terraform: Terraform, chosen: readonly Configuration[]): Promise<void> {
  const format = await terraform('.', 'fmt', '-check', '-recursive', '-diff', '-no-color');
  tell('formatted', format.ok, format.output);
  const queue = [...chosen];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await check(terraform, next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** A check that never fails checks nothing: each spoiling must be noticed. */
async function checkChecks(
  terraform: Terraform,
  copy: string,
  chosen: readonly Configuration[],
): Promise<void> {
  for (const spoiling of SPOILINGS.filter(({ path }) => chosen.some((one) => one.path === path))) {
    const fault = await unnoticed(spoiling, terraform, copy);
    tell(`${spoiling.path}: notices ${spoiling.what}`, fault === undefined, fault ?? '');
  }
}

const schema = JSON.parse(
  await readFile(join(TERRAFORM, 'offline-provider/schema.json'), 'utf8'),
) as ProviderSchema;
for (const [rule, faultsOf] of Object.entries(HOUSE_RULES)) {
  const faults = faultsOf(schema);
  tell(rule, faults.length === 0, faults.join('\n'));
}

const names = process.argv.slice(2);
const chosen = configurations().filter(
  ({ path }) => names.length === 0 || names.some((name) => path.endsWith(`/${name}`)),
);
if (await terraformIsInstalled()) {
  const served = await serveSchema(schema);
  try {
    await withTerraform(served, async (terraform, copy) => {
      await checkAll(terraform, chosen);
      await checkChecks(terraform, copy, chosen);
    });
  } finally {
    served.close();
  }
} else console.log('not run: terraform is not installed, so nothing was formatted, validated or tested');

console.log(`terraform: ${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
