import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blocksOf, configurations, TERRAFORM } from './configurations.ts';
import { withTables } from './describe-module.ts';

/** `npm run generate:terraform`: the tables of variables and outputs in the READMEs of the configurations. */
for (const { path } of configurations()) {
  const file = join(TERRAFORM, path, 'README.md');
  const readme = existsSync(file) ? await readFile(file, 'utf8') : `# ${path}\n`;
  await writeFile(file, withTables(readme, blocksOf(path)));
}
