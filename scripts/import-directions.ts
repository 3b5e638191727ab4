import { posix, relative, sep } from 'node:path';
import type { Rule } from 'eslint';

/**
 * Imports run one way: domain <- infra <- pipelines, api (docs/decisions/0002-import-directions-and-pure-core.md). Tests, benchmarks and
 * scripts are not listed: they may import anything, and nothing that is listed may import them.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain'],
  infra: ['infra', 'domain'],
  pipelines: ['pipelines', 'infra', 'domain'],
  api: ['api', 'infra', 'domain'],
};

/** The pure packages of the core; a list names all that may be taken from one. */
const DOMAIN_PACKAGES: ReadonlyMap<string, readonly string[] | 'all'> = new Map<
  string,
  readonly string[] | 'all'
>([
  ['decimal.js', 'all'],
  ['temporal-polyfill', 'all'],
  ['@marcbachmann/cel-js', 'all'],
  ['node:crypto', ['hash']],
]);

interface ImportSite {
  /** The importing file, from the project's root, with forward slashes. */
  readonly file: string;
  readonly specifier: string;
  /** What is named in the import; undefined where the whole module comes (a namespace, `import()`, `export *`). */
  readonly names: readonly string[] | undefined;
}

const topFolder = (path: string): string => path.split('/')[0] ?? '';

/** What is wrong with an import, or undefined. */
export function judgeImport(site: ImportSite): string | undefined {
  const { file, specifier } = site;
  if (specifier.startsWith('.')) return judgeRelative(file, specifier);
  if (specifier.startsWith('#')) return judgeFolder(topFolder(file), topFolder(specifier.slice(1)));
  return topFolder(file) === 'domain' ? judgePackage(site) : undefined;
}

/** A path that climbs out of its folder would say less clearly where it goes, so it is refused even where the direction is right. */
function judgeRelative(file: string, specifier: string): string | undefined {
  const target = topFolder(posix.join(posix.dirname(file), specifier));
  const folder = topFolder(file);
  if (target === folder || file === folder) return undefined;
  const wrongWay = judgeFolder(folder, target);
  if (wrongWay !== undefined) return wrongWay;
  return target in MAY_IMPORT ? `across folders import by #${target}/…, not by a relative path` : undefined;
}

function judgeFolder(from: string, to: string): string | undefined {
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined || allowed.includes(to)) return undefined;
  return `${from}/ may import ${allowed.join('/, ')}/ and nothing else of ours, not ${to} (decision 0002)`;
}

function judgePackage({ specifier, names }: ImportSite): string | undefined {
  const allowed = DOMAIN_PACKAGES.get(specifier);
  if (allowed === undefined) return `domain/ may not import ${specifier}: it is pure (decision 0002)`;
  if (allowed === 'all') return undefined;
  const wanted = `domain/ may take only ${allowed.join(', ')} from ${specifier} (decision 0002)`;
  return names?.every((name) => allowed.includes(name)) ? undefined : wanted;
}

/** The few parts of a syntax tree that the rule looks at; the types of the linter know no TypeScript nodes. */
interface Imported {
  readonly type: string;
  readonly imported?: { readonly name?: string; readonly value?: unknown };
  readonly local?: { readonly name?: string; readonly value?: unknown };
}
interface ImportNode {
  readonly source?: { readonly value?: unknown } | null;
  readonly specifiers?: readonly Imported[];
}

/** An import gives the names it takes; `import * as` and a default import take the whole module. */
function namesOf({ specifiers }: ImportNode): readonly string[] | undefined {
  const names: string[] = [];
  for (const { type, imported, local } of specifiers ?? []) {
    const named = type === 'ImportSpecifier' ? imported : type === 'ExportSpecifier' ? local : undefined;
    const name = named?.name ?? named?.value;
    if (typeof name !== 'string') return undefined;
    names.push(name);
  }
  return specifiers === undefined ? undefined : names;
}

/** The check as a lint rule, for every form in which a module can name another. */
export const importDirections: Rule.RuleModule = {
  meta: { type: 'problem', schema: [], messages: { forbidden: '{{ fault }}' } },
  create: (context) => {
    const file = relative(context.cwd, context.filename).split(sep).join('/');
    const check = (node: Rule.Node, specifier: unknown, names?: readonly string[]): void => {
      const fault =
        typeof specifier === 'string' ? judgeImport({ file, specifier, names }) : judgeComputed(file);
      if (fault !== undefined) context.report({ node, messageId: 'forbidden', data: { fault } });
    };
    const checkSource = (node: Rule.Node): void => {
      const { source } = node as ImportNode;
      if (source) check(node, source.value, namesOf(node as ImportNode));
    };
    return {
      ImportDeclaration: checkSource,
      ExportNamedDeclaration: checkSource,
      ExportAllDeclaration: checkSource,
      ImportExpression: checkSource,
      TSImportType: checkSource,
    };
  },
};

/** What a computed `import()` names is not known here, so the core may have none. */
const judgeComputed = (file: string): string | undefined =>
  topFolder(file) === 'domain'
    ? 'domain/ may not import what is named at run time (decision 0002)'
    : undefined;
