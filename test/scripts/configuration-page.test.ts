import { expect } from 'chai';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { configurationPage } from '../../scripts/configuration-page.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const VARIABLE = /\b(?:MILLRACE_[A-Z_]*[A-Z]|OTEL_[A-Z_]*[A-Z]|[A-Z_]+_EMULATOR_HOST)\b/g;
/** Of one test and its own children. */
const OF_TESTS = /^MILLRACE_TEST_/;

const namesIn = (text: string): string[] => text.match(VARIABLE) ?? [];

describe('the page of the configuration', () => {
  it('lists every variable that a program or a test reads, and no other', () => {
    const code = globSync('{api,infra,pipelines,scripts,bench,test}/**/*.ts', { cwd: ROOT });
    const elsewhere = code.filter(
      (file) => file !== 'scripts/configuration-page.ts' && !file.endsWith('.test.ts'),
    );
    const read = new Set(elsewhere.flatMap((file) => namesIn(readFileSync(join(ROOT, file), 'utf8'))));
    const tests = globSync('test/fault/*.test.ts', { cwd: ROOT });
    for (const file of tests)
      for (const name of namesIn(readFileSync(join(ROOT, file), 'utf8'))) read.add(name);
    const listed = new Set(
      [...configurationPage().matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => name),
    );
    const wanted = [...read].filter((name) => !OF_TESTS.test(name));
    expect(
      wanted.filter((name) => !listed.has(name)),
      'not on the page',
    ).to.deep.equal([]);
    const ours = [...listed].filter((name) => namesIn(name).length > 0);
    expect(
      ours.filter((name) => !read.has(name)),
      'on the page, but never read',
    ).to.deep.equal([]);
  });
});
