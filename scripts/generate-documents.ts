import { readFile, writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { problemsByStatus } from '#api/http/problem-codes.ts';
import { assembleRoutes } from '#api/routes.ts';
import { VERSION } from '#infra/version.ts';
import { dbtSources } from '#infra/warehouse/bigquery/dbt-sources.ts';
import { configurationPage } from './configuration-page.ts';
import { withCostTables } from './cost/cost-tables.ts';
import { serviceLevelsPage } from './service-levels-page.ts';
import { curvePicture } from './pricing/curve-picture.ts';
import { examplesOf } from './pricing/examples.ts';

/** A document that is made from the code, and kept in the repository so that a change of it is seen in review. */
interface GeneratedDocument {
  readonly path: string;
  readonly content: string;
}

export async function generateDocuments(): Promise<GeneratedDocument[]> {
  const documents = await Promise.all([
    document('docs/openapi.json', JSON.stringify(assembleRoutes(VERSION).document), 'json'),
    document('docs/problems.md', problemsPage(), 'markdown'),
    document('docs/configuration.md', configurationPage(), 'markdown'),
    document('docs/service-levels.md', serviceLevelsPage(), 'markdown'),
    document('docs/dbt/sources.yml', dbtSources(), 'yaml'),
  ]);
  const cost = { path: 'docs/cost.md', content: withCostTables(await readFile('docs/cost.md', 'utf8')) };
  return [...documents, cost, ...(await pricePictures())];
}

/** The price curves of the examples in the pricing guide. */
async function pricePictures(): Promise<GeneratedDocument[]> {
  const examples = examplesOf(await readFile('docs/guides/pricing.md', 'utf8'));
  return examples.flatMap((example) =>
    example.picture ? [{ path: `docs/${example.picture.path}`, content: curvePicture(example) }] : [],
  );
}

async function document(path: string, content: string, parser: string): Promise<GeneratedDocument> {
  const style = JSON.parse(await readFile('.prettierrc.json', 'utf8')) as object;
  return { path, content: await format(content, { ...style, parser }) };
}

function problemsPage(): string {
  const rows = problemsByStatus().map(
    ([code, { status, title, mend }]) => `| \`${code}\` | ${status} | ${title}. | ${mend} |`,
  );
  return [
    '# Problems',
    '',
    'Every answer of the API that is no success is `application/problem+json` (RFC 9457) with one of these codes. Programs decide by',
    '`code`; `violations` names everything that is wrong with a request, each with a pointer. Made from `api/http/problem-codes.ts` by',
    '`npm run generate`.',
    '',
    '| code | status | meaning | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (import.meta.main)
  for (const { path, content } of await generateDocuments()) await writeFile(path, content);
