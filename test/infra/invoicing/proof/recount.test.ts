import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { MeasuredUsage } from '#domain/invoicing/invoice-inputs.ts';
import { measuredBy } from '#domain/invoicing/measured-usage.ts';
import type { UsageNeeded } from '#domain/invoicing/usage-needed.ts';
import { dispatchEvents } from '#infra/invoicing/proof/dispatch-events.ts';
import { levelsBefore } from '#infra/invoicing/proof/levels.ts';
import type { LineQuestion } from '#infra/invoicing/proof/line-question.ts';
import { createRecount } from '#infra/invoicing/proof/recount.ts';
import { readUsageFrom } from '#infra/usage/read-usage.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { NAMESPACE } from '#test/infra/usage/usage-fixture.ts';
import { openTemporaryWarehouse, type TemporaryWarehouse } from '#test/infra/warehouse/embedded/temporary.ts';
import { DAY, line, METERS, planned, questionOf, scene, type Planned } from './scene.ts';

async function recounted(
  warehouse: Pick<Warehouse, 'query'>,
  question: LineQuestion,
  needs: UsageNeeded,
): Promise<MeasuredUsage> {
  const isLevel = question.meter.definition.aggregation === 'timeWeightedSum';
  const levels = isLevel ? await levelsBefore(warehouse, NAMESPACE, question) : new Map<string, never>();
  const recount = createRecount(question, needs, levels);
  await dispatchEvents(warehouse, { namespace: NAMESPACE, readers: [recount] });
  return recount.measured();
}

describe('usage that is counted again from the warehouse', () => {
  let on: TemporaryWarehouse;
  beforeEach(async () => {
    on = await openTemporaryWarehouse();
  });
  afterEach(() => on.dispose());

  /** Every scene has subjects of its own, so that all of them can share one warehouse. */
  let scenes = 0;

  it('is what the cells came to, with their fingerprints, for every meter, in total and by any of its dimensions', async () => {
    const asked = fc.tuple(line, fc.subarray(['model', 'user']));
    await fc.assert(
      fc.asyncProperty(
        fc.array(planned, { maxLength: 20 }),
        fc.array(planned, { maxLength: 3 }),
        fc.array(asked, { minLength: 2, maxLength: 6 }),
        async (plan, late, lines) => {
          const own = `-${++scenes}`;
          const { stores, snapshot, meters } = await scene(plan, late, own);
          await on.warehouse.append('events', stores.warehouse.rows('events'));
          for (const [each, dimensions] of lines) {
            const question = questionOf(meters, snapshot.at, { ...each, dimensions: undefined }, own);
            const groupBy = dimensions.filter((name) => name in (METERS[each.meter]?.dimensions ?? {}));
            const { rows, dirty } = await readUsageFrom(snapshot, {
              namespace: NAMESPACE,
              meter: each.meter,
              subjects: question.subjects,
              ...question.period,
              window: 'none',
              timezone: 'UTC',
              groupBy,
              fingerprints: true,
            });
            // Such a cell waits for just this.
            if (dirty) continue;
            const measurements = rows.map(({ group, value, fingerprint }) => ({
              ...(group ? { dimensions: group } : {}),
              quantity: value ?? '0',
              fingerprint,
            }));
            const of = measuredBy(question.meter);
            if (groupBy.length === 0) {
              const needs = { kind: 'quantity' } as const;
              expect(await recounted(on.warehouse, question, needs)).to.deep.equal({
                ...of,
                ...needs,
                ...measurements[0],
              });
              continue;
            }
            const needs = { kind: 'groups', dimensions: groupBy } as const;
            const again = await recounted(on.warehouse, question, needs);
            if (again.kind !== 'groups') expect.fail(again.kind);
            expect(again).to.include({ ...of, kind: 'groups' });
            expect(again.groups).to.have.deep.members(measurements);
          }
          await snapshot.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is for prices of events each of them in order, with its value and dimensions', async () => {
    const plan = ['2', '1.5', '-3'].map((v, place): Planned => ({
      subject: 'acme',
      hours: 3 - place,
      data: { v, u: 'a', m: 'm1' },
      before: 'nothing',
      after: 'nothing',
    }));
    const { stores, snapshot, meters } = await scene(plan, []);
    const asked = { subjects: ['acme'], from: 0, hours: 48, dimensions: undefined };
    const of = (meter: string) =>
      recounted(stores.warehouse, questionOf(meters, snapshot.at, { ...asked, meter }), { kind: 'events' });
    const dimensions = { model: 'm1', user: 'a' };
    expect(await of('paid')).to.deep.include({
      kind: 'events',
      meter: 'paid',
      meterVersion: 1,
      events: [
        { value: '-3', dimensions },
        { value: '1.5', dimensions },
        { value: '2', dimensions },
      ],
    });
    expect(await of('count')).to.deep.include({ events: [{ value: '1' }, { value: '1' }, { value: '1' }] });
    await snapshot.close();
  });

  it('of a level is followed from long before, also while its subject was somebody else’s', async () => {
    const event = (hours: number, v: string): Planned => ({
      subject: 'acme',
      hours,
      data: { v, u: 'a', m: 'm1' },
      before: 'nothing',
      after: 'nothing',
    });
    const { stores, snapshot, meters } = await scene([event(0, '4'), event(30, '2'), event(42, '-1')], []);
    await on.warehouse.append('events', stores.warehouse.rows('events'));
    // The second day: 4, from 06:00 on 6, from 18:00 on 5; the customer's own from 12:00 on.
    const spans = [{ from: DAY + 1.5 * MICROS_PER_DAY, to: DAY + 2 * MICROS_PER_DAY }];
    const day = {
      meter: 'level',
      subjects: [{ subject: 'acme', spans }],
      from: 24,
      hours: 24,
      dimensions: undefined,
    };
    expect(
      await recounted(on.warehouse, questionOf(meters, snapshot.at, day), { kind: 'quantity' }),
    ).to.include({ quantity: String((6 * 6 + 6 * 5) / 24) });
    await snapshot.close();
  });
});
