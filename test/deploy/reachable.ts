import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { ROOT } from './dockerfile.ts';

export interface Reachable {
  /** From the root. */
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

/** What stays when types are erased: static and dynamic imports, and files that are named beside the module. */
const IMPORTS = [
  /^(?:import|export) (?!type )[^'";]*?from '([^']+)'/gm,
  /^import '([^']+)'/gm,
  /\bawait import\('([^']+)'\)/g,
  /\bnew URL\('([^']+)', import\.meta\.url\)/g,
];

/** Everything that a program may load, followed through its imports. What is named only at run time is not seen. */
export function reachableFrom(programs: readonly string[]): Reachable {
  const files = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    if (!file.endsWith('.ts') || !existsSync(join(ROOT, file))) return;
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [, target = ''] of IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)])) {
      // A folder: what is loaded from it is named at run time.
      if (target.endsWith('/')) continue;
      const own = ownFile(file, target);
      if (own !== undefined) follow(own);
      else if (!isBuiltin(target)) packages.add(packageOf(target));
    }
  };
  programs.forEach(follow);
  return { files, packages };
}

/** The file that an import of ours names; undefined for a package. */
function ownFile(from: string, target: string): string | undefined {
  if (target.startsWith('#')) return target.slice(1);
  if (target.endsWith('.ts') || target.startsWith('.'))
    return relative(ROOT, join(ROOT, dirname(from), target));
  return /^[\w-]+\.\w+$/.test(target) && existsSync(join(ROOT, dirname(from), target))
    ? join(dirname(from), target)
    : undefined;
}

const packageOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
