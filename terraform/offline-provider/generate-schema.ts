import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mineProvider, mineType } from './mine-schema.ts';
import type { Block, ProviderSchema } from './schema.ts';
import { usedTypes } from './used-types.ts';

/**
 * `npm run generate:terraform-schema`: writes `schema.json`, the shapes of the types that the configurations use. They are read from the
 * generated bindings of the google provider, a package that is fetched into a temporary folder for this and is no dependency.
 */
const PACKAGE = '@cdktf/provider-google@16.12.1';
const PROVIDER = 'hashicorp/google 6.50.0';
const LICENCE = 'MPL-2.0, Copyright HashiCorp, Inc.';
const TERRAFORM = join(import.meta.dirname, '..');
const run = promisify(execFile);

async function generate(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'provider-bindings-'));
  try {
    await run('npm', ['pack', '--silent', PACKAGE], { cwd: folder });
    const [archive = ''] = await readdir(folder);
    await run('tar', ['xzf', archive], { cwd: folder });
    const schema = await mineUsed(join(folder, 'package', 'lib'));
    await writeFile(join(import.meta.dirname, 'schema.json'), schemaText(schema));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function mineUsed(library: string): Promise<ProviderSchema> {
  const { resources, dataSources } = usedTypes(TERRAFORM);
  return {
    origin: { package: PACKAGE, provider: PROVIDER, licence: LICENCE },
    provider: mineProvider(await sourceOf(join(library, 'provider'))),
    resources: await mineAll(library, resources, ''),
    dataSources: await mineAll(library, dataSources, 'data-google-'),
  };
}

/** Throws for a type that the bindings do not have: a configuration that uses it could not be checked. */
async function mineAll(
  library: string,
  types: readonly string[],
  prefix: string,
): Promise<Record<string, Block>> {
  const mined: Record<string, Block> = {};
  for (const type of types) {
    const folder = join(library, prefix + type.replace(/^google_/, '').replaceAll('_', '-'));
    if (!existsSync(folder)) throw new Error(`${PACKAGE} has no ${type}`);
    const found = mineType(await sourceOf(folder));
    if (found.type !== type) throw new Error(`${folder} is of ${found.type}, not of ${type}`);
    mined[type] = found.block;
  }
  return mined;
}

/** The TypeScript that the bindings were compiled from: only it has the comments, and it is kept in the source maps. */
async function sourceOf(folder: string): Promise<string> {
  const structs = join(folder, 'index-structs');
  const parts = existsSync(structs)
    ? (await readdir(structs)).filter((name) => /^structs\d+\.js$/.test(name))
    : [];
  const files = [join(folder, 'index.js'), ...parts.map((name) => join(structs, name))];
  return (await Promise.all(files.map(embeddedSource))).join('\n');
}

async function embeddedSource(file: string): Promise<string> {
  const map = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(await readFile(file, 'utf8'))?.[1];
  const { sourcesContent } = JSON.parse(Buffer.from(map ?? '', 'base64').toString()) as {
    sourcesContent: string[];
  };
  return sourcesContent.join('\n');
}

/** A line for each type, so that a change of it is seen as one. */
function schemaText({ origin, provider, resources, dataSources }: ProviderSchema): string {
  const lines = (blocks: Readonly<Record<string, Block>>): string =>
    Object.entries(blocks)
      .map(([type, block]) => `"${type}":${JSON.stringify(block)}`)
      .join(',\n');
  return `{"origin":${JSON.stringify(origin)},\n"provider":${JSON.stringify(provider)},\n"resources":{\n${lines(resources)}},\n"dataSources":{\n${lines(dataSources)}}}\n`;
}

await generate();
