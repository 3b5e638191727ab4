import { expect } from 'chai';
import fc from 'fast-check';
import { keyName } from '#infra/database/sqlite/physical-order.ts';
import { createPartitionCache } from '#infra/database/sqlite/partition-cache.ts';

describe('the partition cache', () => {
  it('never claims more than is so: what it knows of a row is what the store has, however little room there is', () => {
    const step = fc.record({ partition: fc.nat(3), key: fc.nat(4), write: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(8), (steps, room) => {
        const store = new Map<number, Map<string, { key: number }>>(
          [0, 1, 2, 3].map((name) => [name, new Map()]),
        );
        const cache = createPartitionCache(room);
        for (const { partition: name, key, write } of steps) {
          const rows = store.get(name)!;
          const partition = cache.partition(name, () => rows.size === 0);
          const known = partition.rows.get(String(key));
          if (known !== undefined) expect(known ?? undefined).to.equal(rows.get(String(key)));
          else if (partition.complete) expect(rows.has(String(key))).to.equal(false);
          else cache.put(partition, String(key), rows.get(String(key)) ?? null);
          if (!write) continue;
          rows.set(String(key), { key });
          const touched = cache.known(name);
          if (touched !== undefined) cache.put(touched, String(key), rows.get(String(key))!);
        }
      }),
    );
  });

  it('names no two keys alike', () => {
    const parts = fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('1:a', ':', ';', '1;')), {
      minLength: 2,
      maxLength: 2,
    });
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(keyName(a) === keyName(b)).to.equal(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
