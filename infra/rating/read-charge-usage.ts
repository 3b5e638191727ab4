import { chargeSegments, type ChargeSegment } from '#domain/invoicing/charge-segments.ts';
import type { BilledCharge } from '#domain/invoicing/check-billed-charges.ts';
import { usageNeeded, type UsageNeeded } from '#domain/invoicing/usage-needed.ts';
import { timeZone } from '#domain/calendar/time-zone.ts';
import type { TimeWindow } from '#domain/calendar/window.ts';
import type { Instant } from '#domain/instant.ts';
import { SEGMENTS_PER_BILL_MAX, USAGE_PAGE_ROWS_MAX } from '#domain/limits.ts';
import { addsUp, type MeterVersion } from '#domain/metering/meter.ts';
import { Decimal, ZERO } from '#domain/money/decimal.ts';
import { fraction, WHOLE, type Fraction } from '#domain/money/fraction.ts';
import { prorateQuantity } from '#domain/pricing/proration.ts';
import type { Usage } from '#domain/pricing/usage.ts';
import type { UsageRow } from '#domain/usage/usage-rows.ts';
import type { OwnedSubject } from '#infra/customers/own-subjects.ts';
import type { Reads } from '#infra/database/database.ts';
import { ownedWithin } from '#infra/usage/customer-subjects.ts';
import type { AskedSubject } from '#infra/usage/load-usage.ts';
import { activeMeter, readUsageFrom, UnknownMeter } from '#infra/usage/read-usage.ts';
import { ChargesRefused } from './charges-refused.ts';
import { checkMeterServes, type Meters } from './check-meter-serves.ts';

export interface ChargeUsageRequest {
  readonly namespace: string;
  /** The customer's, with when they were its own. */
  readonly subjects: readonly OwnedSubject[];
  readonly charges: readonly BilledCharge[];
  /** Of whole minutes. */
  readonly period: TimeWindow;
  readonly timezone: string;
  readonly signal?: AbortSignal | undefined;
}

/** Events that are still to be read, since a snapshot of the database does not have them. */
export interface EventsWanted {
  /** Where the charge stands in the request. */
  readonly pointer: string;
  readonly meter: MeterVersion;
  readonly range: TimeWindow;
  readonly subjects: readonly AskedSubject[];
  /** The commit time as of which they are wanted, so that they agree with a snapshot; as they are now without it. */
  readonly at?: Instant | undefined;
}

export interface ChargeUsage {
  /** By the key of a charge, one for each of its segments. */
  readonly measured: ReadonlyMap<string, readonly (Usage | EventsWanted)[]>;
  /** Some cell waits to be recomputed: such usage may be shown but not invoiced. */
  readonly dirty: boolean;
}

/**
 * The usage of a customer as its charges need it, all from one snapshot. Throws `ChargesRefused` with every fault of every charge, and what
 * `readUsage` throws. The charges are checked ones.
 */
export async function readChargeUsage(snapshot: Reads, request: ChargeUsageRequest): Promise<ChargeUsage> {
  const zone = timeZone(request.timezone);
  const segments = request.charges.map((charge) => chargeSegments(charge, request.period, zone));
  if (segments.flat().length > SEGMENTS_PER_BILL_MAX)
    throw new ChargesRefused([
      {
        pointer: '/charges',
        code: 'too_many_segments',
        message: `prices by date cut the charges into more than ${SEGMENTS_PER_BILL_MAX} segments: ask for a shorter period`,
      },
    ]);
  const meters = await readMeters(snapshot, request);
  const reading: Reading = { snapshot, request, answers: new Map(), dirty: false };
  const measured = new Map<string, readonly (Usage | EventsWanted)[]>();
  for (const [index, charge] of request.charges.entries()) {
    const usage: (Usage | EventsWanted)[] = [];
    for (const segment of segments[index] ?? [])
      usage.push(
        await measure(reading, segment, {
          pointer: `/charges/${index}`,
          meter: meters.get(charge.meter ?? ''),
          needs: usageNeeded(charge, segment.price),
        }),
      );
    measured.set(charge.key, usage);
  }
  return { measured, dirty: reading.dirty };
}

/** The active versions of all meters that are named. */
async function readMeters(snapshot: Reads, { namespace, charges }: ChargeUsageRequest): Promise<Meters> {
  const meters = new Map<string, MeterVersion>();
  for (const key of new Set(charges.flatMap(({ meter }) => meter ?? []))) {
    const meter = await findMeter(snapshot, namespace, key);
    if (meter) meters.set(key, meter);
  }
  const faults = charges.flatMap((charge, index) => checkMeterServes(charge, meters, `/charges/${index}`));
  if (faults.length > 0) throw new ChargesRefused(faults);
  return meters;
}

async function findMeter(snapshot: Reads, namespace: string, key: string): Promise<MeterVersion | undefined> {
  try {
    return await activeMeter(snapshot, namespace, key);
  } catch (error) {
    if (error instanceof UnknownMeter) return undefined;
    throw error;
  }
}

interface Reading {
  readonly snapshot: Reads;
  readonly request: ChargeUsageRequest;
  /** Charges on one meter mostly ask the same: it is read once. */
  readonly answers: Map<string, Usage>;
  dirty: boolean;
}

interface Asked {
  readonly pointer: string;
  /** Undefined only where none is named, as by a fee. */
  readonly meter: MeterVersion | undefined;
  readonly needs: UsageNeeded;
}

const NO_USAGE: Usage = { quantity: ZERO };

async function measure(
  reading: Reading,
  { from, to }: ChargeSegment,
  { pointer, meter, needs }: Asked,
): Promise<Usage | EventsWanted> {
  if (needs.kind === 'nothing' || meter === undefined) return NO_USAGE;
  const range = { from, to };
  const subjects = reading.request.subjects.flatMap((owned) => ownedWithin(owned, range));
  if (needs.kind === 'events') return { pointer, meter, range, subjects };
  const groupBy = needs.kind === 'groups' ? dimensionsOf(meter, needs.dimensions) : [];
  const name = JSON.stringify([meter.key, from, to, groupBy]);
  const known = reading.answers.get(name);
  if (known) return known;
  const usage = await readCells(reading, { pointer, meter, range, subjects }, groupBy);
  reading.answers.set(name, usage);
  return usage;
}

const dimensionsOf = (
  { definition: { dimensions = {} } }: MeterVersion,
  named: readonly string[] | 'all',
): readonly string[] => (named === 'all' ? Object.keys(dimensions) : named).toSorted();

async function readCells(
  reading: Reading,
  { pointer, meter, range, subjects }: EventsWanted,
  groupBy: readonly string[],
): Promise<Usage> {
  const { namespace, timezone, signal } = reading.request;
  const answer = await readUsageFrom(reading.snapshot, {
    namespace,
    meter: meter.key,
    subjects,
    ...range,
    window: 'none',
    timezone,
    groupBy,
    ...(signal ? { signal } : {}),
  });
  reading.dirty ||= answer.dirty;
  if (answer.next)
    throw new ChargesRefused([
      { pointer, code: 'too_many_groups', message: `has usage of more than ${USAGE_PAGE_ROWS_MAX} groups` },
    ]);
  const part = partMeasured(meter, range, reading.request.period);
  if (groupBy.length === 0) return { quantity: quantityOf(answer.rows[0], part) };
  return {
    groups: answer.rows.map((row) => ({ dimensions: row.group ?? {}, quantity: quantityOf(row, part) })),
  };
}

/** What does not add up over time, such as a peak, counts for the part of the period that it was measured in; everything else as it is. */
function partMeasured({ definition }: MeterVersion, range: TimeWindow, period: TimeWindow) {
  return addsUp(definition)
    ? WHOLE
    : fraction(BigInt(range.to - range.from), BigInt(period.to - period.from));
}

/** What has no value, such as the greatest of no events, is no usage. */
const quantityOf = (row: UsageRow | undefined, part: Fraction): Decimal =>
  row?.value == null ? ZERO : prorateQuantity(new Decimal(row.value), part);
