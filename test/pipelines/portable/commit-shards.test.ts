import { expect } from 'chai';
import fc from 'fast-check';
import type { Delivery } from '#infra/usage/delivery.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { WindowedValue } from '#pipelines/beam/sdk.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_DELIVERIES_MAX,
  FromCommitShard,
  shardOf,
  ToCommitShard,
} from '#pipelines/portable/commit-shards.ts';

const SHARDS = 32;

const deliveryOf = (id: string, subject: string | undefined, namespace = 'default'): Delivery => {
  const body = {
    specversion: '1.0',
    id,
    source: 'urn:s',
    type: 't',
    ...(subject === undefined ? {} : { subject }),
  };
  const data = new TextEncoder().encode(JSON.stringify(body));
  const message = { id: `m-${id}`, data, attributes: {}, publishTime: 1, attempt: 1, ackId: id };
  return parseDelivery({ kind: 'fixed', namespace }, message);
};

const at = (delivery: Delivery, publishTime: number): Delivery => ({
  ...delivery,
  message: { ...delivery.message, publishTime },
});

/** What a bundle of these becomes. */
function gathered(doFn: ToCommitShard, deliveries: readonly Delivery[]) {
  const batches: WindowedValue<Keyed<readonly Delivery[]>>[] = [];
  doFn.startBundle();
  for (const each of deliveries) doFn.process(each);
  doFn.finishBundle((batch) => batches.push(batch));
  return batches;
}

describe('a commit shard', () => {
  it('has all events of a subject, whatever else they say, so that its cells have one writer', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,20}$/);
    fc.assert(
      fc.property(name, name, name, (subject, one, other) => {
        const shard = shardOf(deliveryOf(one, subject), SHARDS);
        expect(shardOf(deliveryOf(other, subject), SHARDS)).to.equal(shard);
        expect(shard).to.be.within(0, SHARDS - 1);
      }),
    );
  });

  it('is one of all of them about equally often, for subjects, namespaces and refused messages alike', () => {
    const few = 8;
    const numbers = Array.from({ length: 8_000 }, (_, i) => i);
    const spreads = {
      subjects: numbers.map((i) => deliveryOf('e', `customer-${i}`)),
      namespaces: numbers.map((i) => deliveryOf('e', 'acme', `tenant-${i}`)),
      refused: numbers.map((i) => deliveryOf(String(i), undefined)),
    };
    for (const [what, deliveries] of Object.entries(spreads)) {
      const counts = Array.from({ length: few }, () => 0);
      for (const delivery of deliveries) counts[shardOf(delivery, few)]! += 1;
      for (const count of counts) expect(count, what).to.be.within(800, 1_200);
    }
  });

  it('is the key of batches of its deliveries, which come out of them as they went in, each batch in the time of its earliest', () => {
    const deliveries = Array.from({ length: 40 }, (_, i) =>
      at(deliveryOf(`e-${i}`, `s-${i % 5}`), 9_000_999 - i * 1_000),
    );
    const batches = gathered(new ToCommitShard(SHARDS), deliveries);
    expect(new Set(batches.map(({ value }) => value.key)).size).to.equal(batches.length);
    for (const { value, timestamp } of batches) {
      for (const each of value.value) expect(value.key).to.equal(String(shardOf(each, SHARDS)));
      const earliest = Math.min(...value.value.map(({ message }) => message.publishTime));
      expect(Number(timestamp)).to.equal(Math.floor(earliest / 1_000));
    }
    const out: Delivery[] = [];
    for (const { value } of batches)
      new FromCommitShard().process({ key: value.key, value: [value.value] }, (each) => out.push(each));
    expect(out).to.have.members(deliveries).and.to.have.length(deliveries.length);
  });

  it('keeps its batches below a number of deliveries and, but for the last message, of bytes', () => {
    const many = Array.from({ length: BATCH_DELIVERIES_MAX + 1 }, (_, i) => deliveryOf(`e-${i}`, 'acme'));
    const sizes = (deliveries: Delivery[]): number[] =>
      gathered(new ToCommitShard(SHARDS), deliveries).map(({ value }) => value.value.length);
    expect(sizes(many)).to.deep.equal([BATCH_DELIVERIES_MAX, 1]);
    const large = many.slice(0, 5).map((each) => ({
      ...each,
      message: { ...each.message, data: new Uint8Array(BATCH_BYTES_MAX / 2) },
    }));
    expect(sizes(large)).to.deep.equal([2, 2, 1]);
  });

  it('has nothing in it of a bundle that failed', () => {
    const doFn = new ToCommitShard(SHARDS);
    doFn.startBundle();
    doFn.process(deliveryOf('lost', 'acme'));
    const [batch, ...others] = gathered(doFn, [deliveryOf('next', 'acme')]);
    expect(others).to.be.empty;
    expect(batch?.value.value.map(({ message }) => message.id)).to.deep.equal(['m-next']);
  });

  it('is one of a sensible number', () => {
    for (const shards of [0, -1, 1.5, 5_000, Number.NaN])
      expect(() => new ToCommitShard(shards), String(shards)).to.throw(RangeError);
  });
});
