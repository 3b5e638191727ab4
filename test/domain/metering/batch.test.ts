import { expect } from 'chai';
import fc from 'fast-check';
import { dayOf, hourOf, minuteOfHour } from '#domain/instant.ts';
import { accumulate, emptyAccumulator, type Accumulator } from '#domain/metering/accumulator.ts';
import { groupByIdentity, layOut, type Batch, type Copy } from '#domain/metering/batch.ts';
import { addReferences, emptyDistinctValue, type DistinctValue } from '#domain/metering/distinct-value.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import { copies, copyOf } from './random-copies.ts';
import { eventWith, NOON } from './sample-events.ts';

interface Folded {
  readonly minutes: Map<string, Accumulator>;
  readonly distincts: Map<string, DistinctValue>;
}

/** One event after another into maps by name: the slow way that a batch must agree with. */
function foldOneByOne(folded: readonly Copy[]): Folded {
  const minutes = new Map<string, Accumulator>();
  const distincts = new Map<string, DistinctValue>();
  const made = <Value>(map: Map<string, Value>, key: string, empty: () => Value): Value => {
    const value = map.get(key) ?? empty();
    map.set(key, value);
    return value;
  };
  for (const { event, effects } of folded) {
    const { namespace, subject, time, identity } = event;
    const contribution = { time, identity, digest: fingerprintOf(event.digest) };
    for (const { meter, value, group, distinct } of effects) {
      for (const [view, of] of group === ''
        ? [[0, '']]
        : [
            [0, ''],
            [1, group],
          ]) {
        const key = JSON.stringify([
          namespace,
          subject,
          meter.label,
          view,
          hourOf(time),
          of,
          minuteOfHour(time),
        ]);
        accumulate(made(minutes, key, emptyAccumulator), meter.aggregation, { ...contribution, value });
      }
      if (distinct === '') continue;
      const key = JSON.stringify([namespace, subject, meter.label, dayOf(time), group, distinct]);
      addReferences(
        made(distincts, key, emptyDistinctValue),
        (hourOf(time) % 24) * 60 + minuteOfHour(time),
        1,
      );
    }
  }
  return { minutes, distincts };
}

/** What a batch comes to, under the same names; a cell or value named twice would be a lost update. */
function foldedBy(batch: Batch): Folded {
  const minutes = new Map<string, Accumulator>();
  const distincts = new Map<string, DistinctValue>();
  for (const { namespace, subject, meter, view, hour, group, minutes: changes } of batch.cells) {
    for (const { minute, accumulator } of changes) {
      const key = JSON.stringify([namespace, subject, meter.label, view, hour, group, minute]);
      expect(minutes.has(key), key).to.equal(false);
      minutes.set(key, accumulator);
    }
  }
  for (const { namespace, subject, meter, day, group, valueHash, change } of batch.distincts) {
    const key = JSON.stringify([namespace, subject, meter.label, day, group, valueHash]);
    expect(distincts.has(key), key).to.equal(false);
    if (change.references !== 0) distincts.set(key, change);
  }
  return { minutes, distincts };
}

const cellNames = (batch: Batch): string[] =>
  batch.cells.map(({ namespace, subject, meter, view, hour, group }) =>
    JSON.stringify([namespace, subject, meter.label, view, hour, group]),
  );

describe('a batch', () => {
  it('folds to what folding one event after another gives, in any order of its copies', () => {
    fc.assert(
      fc.property(
        copies().chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          const candidates = groupByIdentity(all);
          const expected = foldOneByOne(candidates.map(({ first }) => first));
          for (const order of [all, shuffled]) {
            const batch = layOut(groupByIdentity(order));
            for (let i = batch.candidates.length - 1; i >= 0; i--) batch.apply(i);
            expect(foldedBy(batch)).to.deep.equal(expected);
          }
        },
      ),
      { numRuns: 250 },
    );
  });

  it('folds only what is applied, so that duplicates of stored events add nothing', () => {
    fc.assert(
      fc.property(copies(), fc.infiniteStream(fc.boolean()), (all, coins) => {
        const batch = layOut(groupByIdentity(all));
        const applied = batch.candidates.filter((_, i) => {
          const isNew = coins.next().value as boolean;
          if (isNew) batch.apply(i);
          return isNew;
        });
        expect(foldedBy(batch)).to.deep.equal(foldOneByOne(applied.map(({ first }) => first)));
      }),
      { numRuns: 150 },
    );
  });

  it('names every cell, value and subject that it may touch once, before anything is applied', () => {
    fc.assert(
      fc.property(copies(), (all) => {
        const batch = layOut(groupByIdentity(all));
        const names = cellNames(batch);
        expect(new Set(names).size).to.equal(names.length);
        const subjects = batch.candidates.map(({ first }) => first.event.subject);
        expect(batch.subjects.map(({ subject }) => subject)).to.have.members([...new Set(subjects)]);
        expect(foldedBy(batch)).to.deep.equal({ minutes: new Map(), distincts: new Map() });
        batch.candidates.forEach((_, i) => batch.apply(i));
        expect(cellNames(batch)).to.deep.equal(names);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps namespaces apart, even where subject and meter are named alike', () => {
    const copy = copyOf(eventWith('{"value":1}'));
    const other = { ...copy, event: { ...copy.event, namespace: 'sandbox', identity: 'x'.repeat(16) } };
    const batch = layOut(groupByIdentity([copy, other]));
    expect(batch.subjects).to.deep.equal(
      ['default', 'sandbox'].map((namespace) => ({ namespace, subject: 'acme' })),
    );
    expect(new Set(cellNames(batch)).size).to.equal(batch.cells.length);
    expect(batch.cells.length % 2).to.equal(0);
  });

  it('of nothing is nothing, and has no candidate to apply', () => {
    const batch = layOut(groupByIdentity([]));
    expect([batch.candidates, batch.cells, batch.distincts, batch.subjects]).to.deep.equal([[], [], [], []]);
    expect(() => batch.apply(0)).to.throw(RangeError, 'no candidate 0');
  });
});

describe('copies of one identity', () => {
  const copy = (publishTime: number, messageId: string): Copy => {
    const event = eventWith('{"value":1}');
    return { ...copyOf(event), event: { ...event, publishTime }, messageId };
  };

  it('are taken in order of publish time, then message id: the first is the event', () => {
    const inOrder = [
      copy(NOON - 1, 'z'),
      copy(NOON, '1'),
      copy(NOON, '10'),
      copy(NOON, '2'),
      copy(NOON + 1, 'a'),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(inOrder, { minLength: inOrder.length }), (shuffled) => {
        const [candidate, ...more] = groupByIdentity(shuffled);
        expect(more).to.deep.equal([]);
        expect([candidate!.first, ...candidate!.others]).to.deep.equal(inOrder);
      }),
    );
  });

  it('are one candidate each, in the order in which their identities came, and no copy is lost', () => {
    fc.assert(
      fc.property(copies(30), (all) => {
        const candidates = groupByIdentity(all);
        expect(candidates.map(({ first }) => first.event.identity)).to.deep.equal([
          ...new Set(all.map(({ event }) => event.identity)),
        ]);
        expect(candidates.flatMap(({ first, others }) => [first, ...others])).to.have.members(all);
        for (const { first, others } of candidates) {
          for (const other of others) expect(other.event.identity).to.equal(first.event.identity);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('may be very many: a retry storm is no quadratic work', () => {
    const first = copy(NOON, '1');
    const count = 100_000;
    const storm = Array.from({ length: count }, (_, i): Copy => ({ ...first, messageId: String(count + i) }));
    const [candidate] = groupByIdentity(storm.toReversed());
    expect(candidate!.first).to.equal(storm[0]);
    expect(candidate!.others).to.have.lengthOf(count - 1);
    expect(candidate!.others.at(-1)).to.equal(storm.at(-1));
  });
});
