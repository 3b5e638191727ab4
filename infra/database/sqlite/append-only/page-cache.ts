import { MAX_PAGE_ROWS } from './page.ts';

/** What is kept of the pages that were written or read last: of some 300,000 events. */
export const PAGE_CACHE_BYTES = 16 * 1024 * 1024;
/**
 * What a page takes beside its bytes: its objects, those of two arrays, and what the allocator rounds up; measured at 800 to 1,100. Where commits are
 * small most of a page is this, and a bound that left it out would be passed many times over.
 */
export const PAGE_OVERHEAD_BYTES = 1_024;

export interface Page {
  readonly first: number;
  readonly count: number;
  readonly ids: Uint8Array;
  readonly rest: Uint8Array;
}

/** Pages never change and ordinals are never used again, so a page in here is right in every snapshot that has it. */
export interface PageCache {
  /** The page that holds the row. */
  get(ordinal: number): Page | undefined;
  put(page: Page): void;
  dropBelow(ordinal: number): void;
}

const sizeOf = ({ ids, rest }: Page): number => PAGE_OVERHEAD_BYTES + ids.byteLength + rest.byteLength;

const bucketOf = (ordinal: number): number => Math.floor(ordinal / MAX_PAGE_ROWS);

export function createPageCache(maxBytes = PAGE_CACHE_BYTES): PageCache {
  /** By first ordinal, in the order of use. */
  const pages = new Map<number, Page>();
  /** The pages that begin in each stretch of ordinals: one that holds a row begins in the row's stretch or the one before. */
  const buckets = new Map<number, Page[]>();
  let bytes = 0;
  /** Rows are often asked for in the order they came. */
  let latest: Page | undefined;

  const drop = (page: Page): void => {
    pages.delete(page.first);
    if (page === latest) latest = undefined;
    bytes -= sizeOf(page);
    const number = bucketOf(page.first);
    const others = (buckets.get(number) ?? []).filter((other) => other !== page);
    if (others.length === 0) buckets.delete(number);
    else buckets.set(number, others);
  };

  const shrink = (): void => {
    for (const page of pages.values()) {
      if (bytes <= maxBytes) return;
      drop(page);
    }
  };

  const findIn = (bucket: number, ordinal: number): Page | undefined =>
    buckets.get(bucket)?.find(({ first, count }) => first <= ordinal && ordinal < first + count);

  return {
    get: (ordinal) => {
      if (latest !== undefined && latest.first <= ordinal && ordinal < latest.first + latest.count)
        return latest;
      const page = findIn(bucketOf(ordinal), ordinal) ?? findIn(bucketOf(ordinal) - 1, ordinal);
      if (page !== undefined) {
        pages.delete(page.first);
        pages.set(page.first, page);
        latest = page;
      }
      return page;
    },
    put: (page) => {
      const known = pages.get(page.first);
      if (known !== undefined) drop(known);
      pages.set(page.first, page);
      const bucket = buckets.get(bucketOf(page.first));
      if (bucket === undefined) buckets.set(bucketOf(page.first), [page]);
      else bucket.push(page);
      bytes += sizeOf(page);
      shrink();
    },
    dropBelow: (ordinal) => {
      for (const page of pages.values()) if (page.first + page.count <= ordinal) drop(page);
    },
  };
}
