import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { createPageCache, PAGE_OVERHEAD_BYTES } from '#infra/database/sqlite/append-only/page-cache.ts';
import type { Page } from '#infra/database/sqlite/append-only/page-cache.ts';

const pageOf = (first: number, count: number): Page => ({
  first,
  count,
  ids: new Uint8Array(16 * count),
  rest: new Uint8Array(count),
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What lives, of heap and array buffers. */
function memoryUsed(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('the page cache', () => {
  it('finds the page of any row of any run of pages, and never a page without the row', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 256 }), { maxLength: 30 }),
        fc.nat(7_000),
        (counts, ordinal) => {
          const cache = createPageCache();
          let next = 0;
          for (const count of counts) {
            cache.put(pageOf(next, count));
            next += count;
          }
          const page = cache.get(ordinal);
          if (ordinal >= next) expect(page).to.equal(undefined);
          else
            expect(page !== undefined && page.first <= ordinal && ordinal < page.first + page.count).to.equal(
              true,
            );
        },
      ),
    );
  });

  it('drops the pages used longest ago when its bytes are full', () => {
    const cache = createPageCache((17 * 256 + PAGE_OVERHEAD_BYTES) * 3);
    for (const first of [0, 256, 512]) cache.put(pageOf(first, 256));
    cache.get(0);
    cache.put(pageOf(768, 256));
    expect([0, 256, 512, 768].map((ordinal) => cache.get(ordinal)?.first)).to.deep.equal([
      0,
      undefined,
      512,
      768,
    ]);
  });

  it('counts what a page takes beside its bytes, so that many small ones do not pass its bound', () => {
    const bytes = 1_000_000;
    const cache = createPageCache(bytes);
    const before = memoryUsed();
    for (let first = 0; first < 50_000; first++) cache.put(pageOf(first, 1));
    const taken = memoryUsed() - before;
    expect(cache.get(49_999)?.first).to.equal(49_999);
    expect(taken).to.be.below(2 * bytes);
  });

  it('drops what has expired', () => {
    const cache = createPageCache();
    cache.put(pageOf(0, 10));
    cache.put(pageOf(10, 10));
    cache.dropBelow(10);
    expect([9, 10].map((ordinal) => cache.get(ordinal)?.first)).to.deep.equal([undefined, 10]);
  });
});
