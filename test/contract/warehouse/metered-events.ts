import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { QueryRefused } from '#infra/warehouse/errors.ts';
import { toMeteredEvent, type MeteredEvent } from '#infra/warehouse/metered-event.ts';
import type { MeteredOptions, QueryParameters, Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';
import type { WithWarehouse } from './suite.ts';
import { ask, at, eventRow, failureOf, MARCH, NOON } from './rows.ts';
import { shardOf } from '#infra/warehouse/questions/event-scope.ts';

const idsOf = (rows: readonly WarehouseRow[]): unknown[] => rows.map(({ id }) => id);

async function pages(warehouse: Warehouse, limit: number): Promise<WarehouseRow[]> {
  const rows: WarehouseRow[] = [];
  for (let after = {}; ;) {
    const page = await ask(warehouse, 'metered_events', { limit, ...after });
    rows.push(...page);
    if (page.length < limit) return rows;
    after = { afterTime: page.at(-1)!['time'], afterIdentity: page.at(-1)!['identity'] };
  }
}

async function folded(
  warehouse: Warehouse,
  parameters: QueryParameters,
  options?: MeteredOptions,
): Promise<MeteredEvent[]> {
  const batches = await Array.fromAsync(warehouse.meteredEvents({ ...MARCH, ...parameters }, options));
  return batches.flat();
}

export function meteredEventsContract(withWarehouse: WithWarehouse): void {
  describe('metered events', () => {
    it(
      'are what meters read of each event, once, in the order of (time, identity), in one go or by pages',
      withWarehouse(async (warehouse) => {
        const rows = Array.from({ length: 25 }, (_, index) =>
          eventRow(`e-${index}`, { time: NOON + (index % 3), data: `{"tokens":${index}}` }),
        );
        await warehouse.appendEvents([...rows, ...rows.slice(3)]);
        const expected = rows
          .toSorted((a, b) => a.time - b.time || (a.identity < b.identity ? -1 : 1))
          .map((row) => ({
            identity: toHex(row.identity),
            digest: toHex(row.digest!),
            id: row.id,
            source: row.source,
            type: row.type,
            subject: row.subject,
            time: at(row.time),
            data: row.data,
            catalogue_version: row.catalogueVersion,
            matched_meters: ['tokens@1'],
          }));
        expect(await ask(warehouse, 'metered_events')).to.deep.equal(expected);
        for (const limit of [1, 7, 25, 100]) expect(await pages(warehouse, limit)).to.deep.equal(expected);
      }),
    );

    it(
      'are dealt out over shards of subjects: each event in one, with its copies and voids, by every driver alike',
      withWarehouse(async (warehouse) => {
        const subjects = ['acme', 'zürich/7', '😀', 'a', 'b c', 'd"e', "f'g", 'h\\i'];
        const rows = Array.from({ length: 64 }, (_, index) =>
          eventRow(`e-${index}`, { time: NOON + index, subject: subjects[index % subjects.length] ?? '' }),
        );
        const voids = rows
          .filter((_, index) => index % 9 === 0)
          .map((row) => ({
            ...{ ...row, outcome: 'void' as const, data: null },
            committedAt: row.committedAt + 1,
          }));
        await warehouse.appendEvents([...rows, ...rows.slice(10, 40), ...voids]);
        const all = await ask(warehouse, 'metered_events');
        expect(all).to.have.length(rows.length - voids.length);
        for (const shards of [1, 2, 3, 10]) {
          const found: WarehouseRow[] = [];
          for (let shard = 0; shard < shards; shard++) {
            const part = await ask(warehouse, 'metered_events', { shard, shards });
            for (const { subject } of part) expect(shardOf(String(subject), shards)).to.equal(shard);
            found.push(...part);
          }
          expect(new Set(idsOf(found)), `${shards} shards`).to.deep.equal(new Set(idsOf(all)));
          expect(found).to.have.length(all.length);
        }
        expect(await failureOf(ask(warehouse, 'metered_events', { shard: 2, shards: 2 }))).to.be.instanceOf(
          QueryRefused,
        );
        expect(await failureOf(ask(warehouse, 'metered_events', { shard: 0 }))).to.be.instanceOf(
          QueryRefused,
        );
      }),
    );

    it(
      'are the same events where they are read to be folded, in the order of time, with their names where those are asked for',
      withWarehouse(async (warehouse) => {
        const rows = Array.from({ length: 2_500 }, (_, index) =>
          eventRow(`e-${index}`, {
            time: NOON + ((index * 7) % 1_000) * 1_000,
            subject: `zürich/${index % 3}`,
            type: index % 2 === 0 ? 'llm.request' : 'llm.answer',
            digest: eventRow(`digest of ${index}`).identity,
            data: `{"text":"${'x'.repeat(index % 40)}"}`,
          }),
        );
        const voids = rows
          .slice(0, 9)
          .map((row) => ({ ...row, outcome: 'void' as const, data: null, committedAt: row.committedAt + 1 }));
        await warehouse.appendEvents([...rows, ...rows.slice(100, 300), ...voids]);
        const inOrder = (all: readonly MeteredEvent[]): MeteredEvent[] =>
          all.toSorted((a, b) => a.time - b.time || (a.identity < b.identity ? -1 : 1));
        for (const asked of [{}, { type: 'llm.answer' }, { shard: 1, shards: 3 }]) {
          const expected = (await ask(warehouse, 'metered_events', asked)).map(toMeteredEvent);
          expect(expected).to.have.length.above(100);
          const named = await folded(warehouse, asked, { names: true });
          expect(inOrder(named)).to.deep.equal(expected);
          expect(named.map(({ time }) => time)).to.deep.equal(expected.map(({ time }) => time));
          const nameless = (all: readonly MeteredEvent[]) =>
            all.map(({ id: _, source: __, ...rest }) => rest);
          expect(nameless(inOrder(await folded(warehouse, asked)))).to.deep.equal(nameless(expected));
        }
      }),
    );

    it(
      'are those of any of the meters, by their whole names',
      withWarehouse(async (warehouse) => {
        await warehouse.appendEvents([
          eventRow('none', { matchedMeters: [], time: NOON }),
          eventRow('a', { matchedMeters: ['a@1'], time: NOON + 1 }),
          eventRow('b', { matchedMeters: ['b@12', 'c@1'], time: NOON + 2 }),
          eventRow('both', { matchedMeters: ['a@1', 'b@12'], time: NOON + 3 }),
        ]);
        const asked = async (meters: string[]) => idsOf(await ask(warehouse, 'metered_events', { meters }));
        expect(await asked(['a@1'])).to.deep.equal(['a', 'both']);
        expect(await asked(['a@1', 'c@1'])).to.deep.equal(['a', 'b', 'both']);
        expect(await asked(['b@1', '@12', 'a'])).to.deep.equal([]);
        expect(idsOf(await ask(warehouse, 'metered_events', { meter: 'c@1' }))).to.deep.equal(['b']);
      }),
    );

    it(
      'are as of a commit time what they were then: with the events and the voids of then',
      withWarehouse(async (warehouse) => {
        const event = eventRow('e-1', { committedAt: NOON + 10 });
        const voided = { ...event, outcome: 'void', data: null, committedAt: NOON + 20 } as const;
        const restored = { ...voided, outcome: 'restored', committedAt: NOON + 30 } as const;
        await warehouse.appendEvents([voided, eventRow('e-2', { committedAt: NOON + 25, time: NOON + 1 })]);
        await warehouse.appendEvents([restored, event]);
        const asOf = async (time: number, query = 'metered_events') =>
          idsOf(await ask(warehouse, query, { at: at(time) }));
        expect(await asOf(NOON + 9)).to.deep.equal([]);
        expect(await asOf(NOON + 10)).to.deep.equal(['e-1']);
        expect(await asOf(NOON + 19)).to.deep.equal(['e-1']);
        expect(await asOf(NOON + 20)).to.deep.equal([]);
        expect(await asOf(NOON + 25)).to.deep.equal(['e-2']);
        expect(await asOf(NOON + 30)).to.deep.equal(['e-1', 'e-2']);
        expect(await asOf(NOON + 19, 'events_exact')).to.deep.equal(['e-1']);
        expect(idsOf(await ask(warehouse, 'metered_events'))).to.deep.equal(['e-1', 'e-2']);
      }),
    );

    it(
      'are only of the subjects and the time that are asked for',
      withWarehouse(async (warehouse) => {
        await warehouse.appendEvents([
          eventRow('before', { time: NOON - 1 }),
          eventRow('first', { time: NOON }),
          eventRow('other', { time: NOON, subject: 'zeta' }),
          eventRow('last', { time: NOON + MICROS_PER_DAY - 1 }),
          eventRow('after', { time: NOON + MICROS_PER_DAY }),
        ]);
        const range = { from: at(NOON), to: at(NOON + MICROS_PER_DAY), subjects: ['acme', 'nobody'] };
        expect(idsOf(await ask(warehouse, 'metered_events', range))).to.deep.equal(['first', 'last']);
      }),
    );

    it(
      'are refused of no meters, of too many, and of meters named twice over',
      withWarehouse(async (warehouse) => {
        const many = Array.from({ length: 201 }, (_, index) => `m${index}@1`);
        for (const parameters of [{ meters: [] }, { meters: many }, { meters: ['a@1'], meter: 'a@1' }])
          expect(await failureOf(ask(warehouse, 'metered_events', parameters))).to.be.instanceOf(
            QueryRefused,
          );
      }),
    );
  });
}
