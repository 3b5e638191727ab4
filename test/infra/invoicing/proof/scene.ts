import fc from 'fast-check';
import { MICROS_PER_HOUR, type Instant } from '#domain/instant.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import {
  readAllMeterVersions,
  type LineQuestion,
  type MeterVersions,
} from '#infra/invoicing/proof/line-question.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';
import { restoreEvent, voidEvent } from '#infra/usage/void-event.ts';
import {
  ALL_METERS,
  commit,
  delivery,
  instant,
  nameOf,
  NAMESPACE,
  openStores,
  type Stores,
} from '#test/infra/usage/usage-fixture.ts';

export const DAY = instant('2026-03-08T00:00:00Z');
export const METERS: Readonly<Record<string, MeterDefinition>> = {
  ...ALL_METERS,
  paid: {
    name: 'Paid',
    eventType: 'use',
    aggregation: 'sum',
    value: 'v',
    filter: "data.m != 'm0'",
    dimensions: { model: 'm', user: 'u' },
  },
};

export const timeOf = (hours: number): string =>
  new Date((DAY + hours * MICROS_PER_HOUR) / 1_000).toISOString();

export interface Planned {
  readonly subject: string;
  readonly hours: number;
  readonly data: { readonly v: string; readonly u: string; readonly m: string };
  /** What happens to it before the line is measured, and after it. */
  readonly before: 'nothing' | 'void' | 'restore';
  readonly after: 'nothing' | 'void' | 'restore';
}

export const planned: fc.Arbitrary<Planned> = fc.record({
  subject: fc.constantFrom('acme', 'zeta', 'Zürich/7'),
  hours: fc.integer({ min: 0, max: 96 }).map((half) => half / 2),
  data: fc.record({
    v: fc.constantFrom('1', '-2.5', '0.000000000000000001', '12345678901234567890'),
    u: fc.constantFrom('a', 'b'),
    m: fc.constantFrom('m0', 'm1', 'm2'),
  }),
  before: fc.constantFrom('nothing', 'nothing', 'void', 'restore'),
  after: fc.constantFrom('nothing', 'nothing', 'void', 'restore'),
});

const MINUTES = 24 * 60;
export const spans = fc
  .uniqueArray(fc.integer({ min: 0, max: 2 * MINUTES }), { minLength: 2, maxLength: 4 })
  .map((edges) => edges.sort((a, b) => a - b).map((edge) => DAY + edge * 60_000_000))
  .map((edges) =>
    edges.flatMap((from, place) => {
      const to = edges[place + 1];
      return place % 2 === 0 && to !== undefined ? [{ from, to }] : [];
    }),
  );

const asked: fc.Arbitrary<AskedSubject[]> = fc
  .tuple(fc.option(spans), fc.option(spans), fc.subarray(['acme', 'zeta', 'Zürich/7']))
  .map(([first, second, names]) =>
    names.map((subject, place) => {
      const own = [first, second][place];
      return own ? { subject, spans: own } : subject;
    }),
  );

export const line = fc.record({
  meter: fc.constantFrom(...Object.keys(METERS)),
  subjects: asked,
  from: fc.integer({ min: 0, max: 40 }),
  hours: fc.integer({ min: 1, max: 48 }),
  dimensions: fc.constantFrom(undefined, { model: 'm1' }, { user: 'a' }, { model: 'm2', user: 'b' }),
});

async function change(stores: Stores, id: string, what: 'nothing' | 'void' | 'restore'): Promise<void> {
  if (what === 'nothing') return;
  await voidEvent(stores.writer(), nameOf(id));
  if (what === 'restore') await restoreEvent(stores.writer(), nameOf(id));
}

/** Commits events, measures what is asked, and lets more happen: all of it after the snapshot must not be seen. */
export async function scene(plan: readonly Planned[], late: readonly Planned[], own = '') {
  const stores = await openStores(METERS);
  const deliveriesOf = (events: readonly Planned[], prefix: string) =>
    events.map(({ subject, hours, data }, place) =>
      delivery({ id: `${prefix}-${place}${own}`, subject: `${subject}${own}`, time: timeOf(hours), data }),
    );
  await commit(stores, deliveriesOf(plan, 'e'));
  for (const [place, { before }] of plan.entries()) await change(stores, `e-${place}${own}`, before);
  const snapshot = await stores.database.snapshot();
  const meters = await readAllMeterVersions(snapshot, NAMESPACE);
  if (late.length > 0) await commit(stores, deliveriesOf(late, 'late'));
  for (const [place, { after }] of plan.entries()) await change(stores, `e-${place}${own}`, after);
  return { stores, snapshot, meters };
}

export type Line = typeof line extends fc.Arbitrary<infer Shape> ? Shape : never;

/** `own` is what a scene puts behind the names of its subjects. */
export function questionOf(
  meters: MeterVersions,
  at: Instant,
  { meter, subjects, from, hours, dimensions }: Line,
  own = '',
): LineQuestion {
  const names = METERS[meter]?.dimensions ?? {};
  const known = Object.entries(dimensions ?? {}).filter(([name]) => Object.hasOwn(names, name));
  return {
    meter: meters(meter, 1),
    period: { from: DAY + from * MICROS_PER_HOUR, to: DAY + (from + hours) * MICROS_PER_HOUR },
    subjects: subjects.map((asked) =>
      typeof asked === 'string' ? `${asked}${own}` : { ...asked, subject: `${asked.subject}${own}` },
    ),
    ...(known.length > 0 ? { dimensions: Object.fromEntries(known) } : {}),
    at,
  };
}
