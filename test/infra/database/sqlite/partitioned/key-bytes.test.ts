import { expect } from 'chai';
import fc from 'fast-check';
import { compareKeys } from '#infra/database/key-order.ts';
import { createByteSink } from '#infra/database/sqlite/partitioned/byte-sink.ts';
import { partitionedTable } from '#infra/database/sqlite/partitioned/ddl.ts';
import { putKey, readKey, successorOf } from '#infra/database/sqlite/partitioned/key-bytes.ts';
import { column, defineTable } from '#infra/database/table.ts';
import type { Key } from '#infra/database/table.ts';

const of = partitionedTable(
  defineTable('keyed', {
    columns: {
      text: column('string'),
      number: column('int64'),
      flag: column('bool'),
      at: column('timestamp'),
      hash: column('hash'),
    },
    key: ['text', 'number', 'flag', 'at', 'hash'],
    // The first column, so that the order of the bytes is the order of the key.
    layout: { kind: 'partitioned', by: 'text' },
  }),
);

const bytesOf = (key: Key): Buffer => {
  const sink = createByteSink(4);
  putKey(sink, of, key);
  return sink.bytes.subarray(0, sink.at);
};

const text = fc.oneof(
  fc.string({ maxLength: 4, unit: 'binary' }).filter((some) => some.isWellFormed()),
  fc.string({
    maxLength: 3,
    unit: fc.constantFrom('\0', '\u0001', '\u0002', 'a', '\u007f', 'é', '\uffff', '😀'),
  }),
);
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(0, 255, 256, -255, -256, -257, 65_535, 65_536, 2 ** 53 - 1, 1 - 2 ** 53),
);
const hash = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((all) => String.fromCharCode(...all));
const key = fc.tuple(text, number, fc.boolean(), number, hash);

describe('the bytes of a key', () => {
  it('sort as keys do, and are read back as they were', () => {
    fc.assert(
      fc.property(key, key, fc.nat(5), (one, other, shared) => {
        const two = one.map((part, i) => (i < shared ? part : other[i])) as unknown as Key;
        expect(Math.sign(bytesOf(one).compare(bytesOf(two)))).to.equal(Math.sign(compareKeys(one, two)));
        expect(readKey(of, bytesOf(one))).to.deep.equal(one);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of which a prefix is taken lie before its successor, and all that lie above the prefix and begin otherwise after it', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const prefix = bytesOf([one[0], one[1], one[2], one[3], one[4]]).subarray(0, -1);
        const successor = successorOf(Buffer.from(prefix));
        const bytes = bytesOf(other);
        const begins = bytes.subarray(0, prefix.length).equals(prefix);
        expect(bytes.compare(prefix) >= 0 && bytes.compare(successor) < 0).to.equal(begins);
        expect(bytesOf(one).compare(successor)).to.be.lessThan(0);
      }),
    );
  });
});
