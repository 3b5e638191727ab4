import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';

/** House rules that neither the compiler nor the linter can see, checked on every file of the tree. */

const ROOT = resolve(import.meta.dirname, '../..');
const NOT_OURS = new Set(['.git', 'node_modules', 'coverage', '.millrace']);
/** This file has to name what it bans. */
const TIDY = 'test/support/tidy.test.ts';

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [relative(ROOT, path).split(sep).join('/')];
  });
}

const files = filesBelow(ROOT);
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const text = (file: string): boolean =>
  (/\.(?:ts|js|json|md|svg|sql|tf|ya?ml|sh)$/.test(file) || file === '.ci/run') &&
  file !== 'package-lock.json' &&
  file !== TIDY;
const code = (file: string): boolean => text(file) && !file.endsWith('.md');
const documents = files.filter((file) => file.endsWith('.md'));

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
const manifest = JSON.parse(read('package.json')) as Package;

/** One a line, so that a failure shows all of them. */
const expectNone = (found: readonly string[]): void => void expect(found.join('\n')).to.equal('');

/** Every place, as `file:line: what`, where the pattern occurs in the chosen files. */
function occurrences(chosen: (file: string) => boolean, pattern: RegExp): string[] {
  return files.filter(chosen).flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, at) => {
        const found = pattern.exec(line);
        return found ? [`${file}:${at + 1}: ${found[0].trim()}`] : [];
      }),
  );
}

/** All folders on the way to the files, without the root. */
function folders(): Set<string> {
  const all = new Set<string>();
  for (const file of files) {
    for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) all.add(folder);
  }
  return all;
}

describe('the tree', () => {
  it('has a README in every top folder and in every second-level folder of the source', () => {
    const source = /^(?:domain|infra|pipelines|api)\/[^/]+$/;
    const required = [...folders()].filter(
      (folder) => !folder.startsWith('.') && (!folder.includes('/') || source.test(folder)),
    );
    expectNone(required.filter((folder) => !existsSync(join(ROOT, folder, 'README.md'))));
  });

  it('has kebab-case names only', () => {
    const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*$/;
    const named = new Set(['README.md', 'CHANGELOG.md', 'LICENSE', 'Dockerfile']);
    const wrong = [...files, ...folders()].filter((path) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      // Java wants a file to be named like its class.
      const isJava = /^[A-Z][A-Za-z]*\.java$/.test(name);
      return !name.startsWith('.') && !named.has(name) && !isJava && !kebab.test(name);
    });
    expectNone(wrong);
  });

  it('has no file or folder whose name says nothing', () => {
    const empty = /(?:^|[/-])(?:utils?|helpers?|misc|managers?|stuff)(?:[/.-]|$)/;
    expectNone([...files, ...folders()].filter((path) => empty.test(path)));
  });
});

describe('the text', () => {
  it('leaves nothing to be done later', () => {
    expectNone(occurrences(text, /\b(?:TODO|FIXME|XXX|HACK)\b/));
  });

  it('names no path of a machine', () => {
    expectNone(occurrences(code, /(?<![\w.$}*/-])\/(?:work|tmp|home|root|Users|private)\//));
  });

  it('names no package registry', () => {
    const registry =
      /\b(?:npmjs|registry\.npm|registry\.yarnpkg|npm\.pkg|jfrog|artifactory|verdaccio|cloudsmith)\b/i;
    expectNone(occurrences(text, registry));
    expect(/"resolved": "http/.exec(read('package-lock.json'))).to.equal(null);
  });
});

describe('the packages', () => {
  it('come with scripts whose programs exist', () => {
    const programs = Object.values(manifest.scripts).flatMap(
      (script) => script.match(/\b[\w/-]+\.ts\b/g) ?? [],
    );
    expectNone(programs.filter((program) => !existsSync(join(ROOT, program))));
  });

  it('have exact versions', () => {
    const exact = /^(?:npm:[\w@/-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$|^\$[\w@/-]+$/;
    const all = [
      manifest.dependencies,
      manifest.devDependencies,
      ...Object.values(manifest.overrides),
    ].flatMap((group) => Object.entries(group));
    expectNone(all.filter(([, version]) => !exact.test(version)).map(([name]) => name));
  });

  it('each have their line in docs/dependencies.md, and no other has', () => {
    const lines = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
    const overridden = Object.values(manifest.overrides).flatMap((group) => Object.keys(group));
    expect(lines.sort()).to.deep.equal([...Object.keys(manifest.dependencies), ...overridden].sort());
  });
});

describe('the documents', () => {
  it('name only scripts that exist', () => {
    const builtIn = new Set(['ci', 'install']);
    const inCode = /```[^]*?```|`[^`\n]+`/g;
    const named = documents.flatMap((file) =>
      [...read(file).matchAll(inCode)]
        .flatMap(([span]) => [...span.matchAll(/\bnpm (?:run )?([a-z][a-z:-]*)/g)])
        .map(([, script = '']) => ({ file, script })),
    );
    const unknown = named.filter(({ script }) => !builtIn.has(script) && !(script in manifest.scripts));
    expectNone(unknown.map(({ file, script }) => `${file}: npm run ${script}`));
  });

  it('link only to files that exist', () => {
    const broken = documents.flatMap((file) =>
      [...read(file).matchAll(/(?:\]\(|(?:src|srcset|href)=")([^)#":\s]+)(?:#[^)"\s]*)?[)"]/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(resolve(ROOT, dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    );
    expectNone(broken);
  });

  it('name only source files that exist', () => {
    const path = /`((?:domain|infra|pipelines|api|test|bench|scripts|docs|terraform)\/[\w./-]+\.\w+)`/g;
    const gone = documents.flatMap((file) =>
      [...read(file).matchAll(path)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(ROOT, target)))
        .map((target) => `${file}: ${target}`),
    );
    expectNone(gone);
  });

  it('explain every dead-letter reason and every counter, and none that is not there', () => {
    const reasons = [...read('docs/dead-letters.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(reasons).to.deep.equal([...DEAD_LETTER_REASONS]);
    const counters = [...read('docs/metrics.md').matchAll(/^\| `(\w+_total)` \|/gm)].map(([, name]) => name);
    const kept = Object.keys(emptyCounters()).filter((name) => name.endsWith('_total'));
    expect(counters).to.deep.equal(kept);
  });
});

describe('the decisions', () => {
  const decisions = files.filter((file) => /^docs\/decisions\/\d/.test(file)).sort();
  const PAGE_LINES_MAX = 80;

  it('are numbered without a gap and each have their line in the index', () => {
    const index = read('docs/decisions/README.md');
    decisions.forEach((file, at) => {
      const name = file.slice('docs/decisions/'.length);
      expect(name).to.match(new RegExp(`^${String(at + 1).padStart(4, '0')}-`));
      expect(index, name).to.include(`](${name})`);
    });
  });

  it('each fit a page and say context, decision, consequences and alternatives', () => {
    for (const file of decisions) {
      const headings = [...read(file).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      expect(headings, file).to.deep.equal(['Context', 'Decision', 'Consequences', 'Alternatives']);
      expect(read(file).split('\n').length, file).to.be.at.most(PAGE_LINES_MAX);
    }
  });
});
