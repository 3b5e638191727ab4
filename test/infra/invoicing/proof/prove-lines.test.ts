import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_DAY, MICROS_PER_HOUR } from '#domain/instant.ts';
import {
  createMerkleTree,
  EMPTY_ROOT,
  hash256ToHex,
  inclusionProof,
  leafHash,
  provesInclusion,
} from '#domain/invoicing/merkle.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { lineEvents, type LineEvent } from '#infra/invoicing/proof/line-events.ts';
import { readAllMeterVersions, type LineQuestion } from '#infra/invoicing/proof/line-question.ts';
import { proveLines } from '#infra/invoicing/proof/prove-lines.ts';
import { readUsageFrom } from '#infra/usage/read-usage.ts';
import type { QueryParameters, Warehouse } from '#infra/warehouse/warehouse.ts';
import { openTemporaryWarehouse } from '#test/infra/warehouse/embedded/temporary.ts';
import { commit, delivery, NAMESPACE, openStores } from '#test/infra/usage/usage-fixture.ts';
import { DAY, line, METERS, planned, questionOf, scene, timeOf, type Planned } from './scene.ts';

const eventsOf = (warehouse: Pick<Warehouse, 'query'>, question: LineQuestion): Promise<LineEvent[]> =>
  Array.fromAsync(lineEvents(warehouse, { namespace: NAMESPACE, line: question }));

describe('the events behind a line', () => {
  it('are those that the cells had counted when it was measured, whatever came or was voided later: for every meter, by fingerprint', async () => {
    const plans = fc.array(planned, { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(
        plans,
        fc.array(planned, { maxLength: 5 }),
        fc.array(line, { minLength: 1, maxLength: 6 }),
        async (plan, late, lines) => {
          const { stores, snapshot, meters } = await scene(plan, late);
          const questions = lines.map((each) => questionOf(meters, snapshot.at, each));
          const proofs = await proveLines(stores.warehouse, { namespace: NAMESPACE, lines: questions });
          for (const [place, { meter, period, subjects, dimensions }] of questions.entries()) {
            const { rows } = await readUsageFrom(snapshot, {
              namespace: NAMESPACE,
              meter: meter.key,
              subjects,
              ...period,
              window: 'none',
              timezone: 'UTC',
              filter: Object.fromEntries(
                Object.entries(dimensions ?? {}).map(([name, value]) => [name, [value]]),
              ),
              fingerprints: true,
            });
            expect(proofs[place]?.fingerprint).to.equal(rows[0]?.fingerprint);
          }
          await snapshot.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are listed in the order of the tree, and the list makes the root that the line has', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(planned, { maxLength: 25 }),
        fc.array(line, { minLength: 1, maxLength: 4 }),
        async (plan, lines) => {
          const { stores, snapshot, meters } = await scene(plan, []);
          const questions = lines.map((each) => questionOf(meters, snapshot.at, each));
          const proofs = await proveLines(stores.warehouse, { namespace: NAMESPACE, lines: questions });
          for (const [place, question] of questions.entries()) {
            const events = await eventsOf(stores.warehouse, question);
            const tree = createMerkleTree();
            for (const { identity, digest, value } of events)
              tree.append(leafHash(Buffer.from(identity + digest, 'hex').toString('latin1') + value));
            expect(proofs[place]).to.include({
              merkleRoot: hash256ToHex(tree.root()),
              events: events.length,
            });
            const places = events.map(({ time, identity }) => `${time} ${identity}`);
            expect(places).to.deep.equal(places.toSorted());
          }
          await snapshot.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  it('tell what each of them contributes, and what its meter sees of it', async () => {
    const plan: Planned = {
      subject: 'acme',
      hours: 1,
      data: { v: '-2.50', u: 'a', m: 'm1' },
      before: 'nothing',
      after: 'nothing',
    };
    const { stores, snapshot, meters } = await scene([plan], []);
    const told = async (meter: string) => {
      const [event] = await eventsOf(
        stores.warehouse,
        questionOf(meters, snapshot.at, {
          meter,
          subjects: ['acme'],
          from: 0,
          hours: 2,
          dimensions: undefined,
        }),
      );
      return event;
    };
    expect(await told('paid')).to.deep.include({
      id: 'e-0',
      source: 'urn:svc:test',
      subject: 'acme',
      time: DAY + MICROS_PER_HOUR,
      value: '-2.5',
      dimensions: { model: 'm1', user: 'a' },
    });
    expect(await told('count')).to.include({ value: '1' });
    expect(await told('unique')).to.include({ value: '1' });
    expect(await told('count')).to.not.have.property('dimensions');
    await snapshot.close();
  });

  it('of nobody are none, whose tree is the empty one', async () => {
    const { stores, snapshot, meters } = await scene([], []);
    const nobody = questionOf(meters, snapshot.at, {
      meter: 'count',
      subjects: [],
      from: 0,
      hours: 2,
      dimensions: undefined,
    });
    expect(await proveLines(stores.warehouse, { namespace: NAMESPACE, lines: [nobody] })).to.deep.equal([
      { merkleRoot: hash256ToHex(EMPTY_ROOT), fingerprint: '0'.repeat(32), events: 0 },
    ]);
    expect(await eventsOf(stores.warehouse, nobody)).to.deep.equal([]);
    await snapshot.close();
  });
});

describe('proving many lines', () => {
  /** So many customers with a subject each, and lines of two meters; some periods begin elsewhere. */
  async function customers(count: number) {
    const stores = await openStores(METERS);
    const deliveries = Array.from({ length: count * 2 }, (_, place) =>
      delivery({
        id: `e-${place}`,
        subject: `s-${place % count}`,
        time: timeOf(place % 40),
        data: { v: `${place}`, u: 'a', m: 'm1' },
      }),
    );
    for (let first = 0; first < deliveries.length; first += 400)
      await commit(stores, deliveries.slice(first, first + 400));
    const { at, meters } = await inSnapshot(stores.database, async (snapshot) => ({
      at: snapshot.at,
      meters: await readAllMeterVersions(snapshot, NAMESPACE),
    }));
    const lines = Array.from({ length: count }, (_, place) =>
      ['count', 'sum-by-model'].map((meter) =>
        questionOf(meters, at, {
          meter,
          subjects: [`s-${place}`],
          from: place % 5,
          hours: 40,
          dimensions: undefined,
        }),
      ),
    ).flat();
    return { stores, lines };
  }

  const counting = (warehouse: Pick<Warehouse, 'query'>) => {
    const asked: QueryParameters[] = [];
    return {
      asked,
      query: (name: string, parameters: QueryParameters) => {
        asked.push(parameters);
        return warehouse.query(name, parameters);
      },
    };
  };

  it('asks the warehouse a few times for all of them, and gives each what it gives it alone', async () => {
    const { stores, lines } = await customers(1_200);
    const warehouse = counting(stores.warehouse);
    const together = await proveLines(warehouse, { namespace: NAMESPACE, lines });
    expect(warehouse.asked.length).to.be.at.most(3);
    for (const place of [0, 1, 7, 500, 2_398, 2_399]) {
      const [alone] = await proveLines(stores.warehouse, { namespace: NAMESPACE, lines: [lines[place]!] });
      expect(together[place]).to.deep.equal(alone);
      expect(alone?.events).to.be.above(0);
    }
  });

  it('brings the events of more subjects than a question names into one order', async () => {
    const { stores, lines } = await customers(1_200);
    const subjects = Array.from({ length: 1_200 }, (_, place) => `s-${place}`);
    const all: LineQuestion = { ...lines[0]!, subjects, period: { from: DAY, to: DAY + 2 * MICROS_PER_DAY } };
    const events = await eventsOf(stores.warehouse, all);
    expect(events).to.have.length(2_400);
    const places = events.map(({ time, identity }) => `${time} ${identity}`);
    expect(places).to.deep.equal(places.toSorted());
    const [proof] = await proveLines(stores.warehouse, { namespace: NAMESPACE, lines: [all] });
    const tree = createMerkleTree();
    const leaves = events.map(({ identity, digest, value }) =>
      leafHash(Buffer.from(identity + digest, 'hex').toString('latin1') + value),
    );
    for (const leaf of leaves) tree.append(leaf);
    expect(proof).to.include({ events: 2_400, merkleRoot: hash256ToHex(tree.root()) });
    expect(provesInclusion(leaves[1_999]!, inclusionProof(leaves, 1_999), tree.root())).to.equal(true);
  });

  it('does not read a year for lines of a month', async () => {
    const { stores, lines } = await customers(3);
    const year = { from: DAY - 300 * MICROS_PER_DAY, to: DAY + 60 * MICROS_PER_DAY };
    const warehouse = counting(stores.warehouse);
    await proveLines(warehouse, { namespace: NAMESPACE, lines: [...lines, { ...lines[0]!, period: year }] });
    expect(warehouse.asked.map(({ from }) => from).sort()).to.deep.equal([
      '2025-05-12T00:00:00Z',
      '2026-03-08T00:00:00Z',
    ]);
  });
});

describe('line events in the embedded warehouse', () => {
  it('come in pages and in one go alike, each with what it contributes', async () => {
    const { stores, snapshot, meters } = await scene(
      Array.from({ length: 40 }, (_, place) => ({
        subject: place % 2 === 0 ? 'acme' : 'zeta',
        hours: place / 2,
        data: { v: `${place}.25`, u: 'a', m: `m${place % 3}` },
        before: place % 7 === 0 ? 'void' : 'nothing',
        after: place % 5 === 0 ? 'void' : 'nothing',
      })),
      [],
    );
    const { warehouse, dispose } = await openTemporaryWarehouse();
    try {
      await warehouse.append('events', stores.warehouse.rows('events'));
      for (const meter of ['paid', 'count', 'level']) {
        const question = questionOf(meters, snapshot.at, {
          meter,
          subjects: ['acme', 'zeta'],
          from: 2,
          hours: 15,
          dimensions: undefined,
        });
        const expected = await eventsOf(stores.warehouse, question);
        expect(expected).to.have.length.above(10);
        expect(await eventsOf(warehouse, question)).to.deep.equal(expected);
        const after = expected[9]!;
        const rest = lineEvents(warehouse, { namespace: NAMESPACE, line: question, after });
        expect(await Array.fromAsync(rest)).to.deep.equal(expected.slice(10));
        expect(await proveLines(warehouse, { namespace: NAMESPACE, lines: [question] })).to.deep.equal(
          await proveLines(stores.warehouse, { namespace: NAMESPACE, lines: [question] }),
        );
      }
    } finally {
      await snapshot.close();
      await dispose();
    }
  });
});
