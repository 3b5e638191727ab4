import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { HEAP_OPTIONS } from '#infra/heap-options.ts';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the options of the heap', () => {
  it('are known to this release of Node', () => {
    expect(execFileSync(process.execPath, [...HEAP_OPTIONS, '--print', '1'], { encoding: 'utf8' })).to.equal(
      '1\n',
    );
  });

  for (const path of ['pipelines/beam/worker.sh', 'docs/guides/embedded.md'])
    it(`are those that stand in ${path}, which cannot import them`, () => {
      expect(text(path)).to.include(` ${HEAP_OPTIONS.join(' ')} `);
    });
});
