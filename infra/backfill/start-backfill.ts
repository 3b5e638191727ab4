import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { dayOf, dayStart, type DayIndex, type Instant } from '#domain/instant.ts';
import { BACKFILL_DAYS_MAX } from '#domain/limits.ts';
import { countsAlike, type MeterVersion } from '#domain/metering/meter.ts';
import type { Violation } from '#domain/violation.ts';
import { writeAuditEntry, type AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import { existingRows } from '#infra/catalogue/activate-meter.ts';
import { CatalogueError } from '#infra/catalogue/errors.ts';
import { readCatalogueRow, readMeterVersions, versionOf } from '#infra/catalogue/load-catalogue.ts';
import { insertVersion } from '#infra/catalogue/put-meter.ts';
import { catalogue, meterBackfill } from '#infra/catalogue/tables.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { readBackfill, type Backfill } from './backfill.ts';
import { BackfillError } from './errors.ts';

export interface StartBackfill extends AuditOrigin {
  readonly namespace: string;
  readonly key: string;
  readonly version: number;
  /** Event times [from, to), moved out to whole UTC days; from the earliest there may be, to the present. */
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
}

export interface StartedBackfill {
  /** The version that is backfilled: the one that was named, or one made of it. */
  readonly meter: MeterVersion;
  readonly backfill: Backfill;
}

/**
 * Asks for a backfill: whoever works on backfills takes it up. A version that is being built is told its past itself. One that answers questions
 * already is left alone: a version of the same definition is made, with cells of its own, so that nobody sees a half of it. The catalogue's version
 * rises, so that every correction from then on knows of the backfill. Asked again with the same days, it changes nothing. Throws `CatalogueError`
 * `meter_not_found`, `meter_version_not_found`, `meter_version_ended`; `BackfillError` `invalid_backfill`, `backfill_exists`; `InvalidMeter`
 * where there is no room for a version more.
 */
export async function startBackfill(tx: Transaction, request: StartBackfill): Promise<StartedBackfill> {
  const { namespace, key, version } = request;
  const rows = await existingRows(tx, { namespace, key });
  const chosen = rows.find((row) => row.version === version);
  if (chosen === undefined)
    throw new CatalogueError('meter_version_not_found', `the meter ${key} has no version ${version}`);
  if (chosen.state === 'ended' || chosen.until !== null)
    throw new CatalogueError(
      'meter_version_ended',
      `version ${version} of ${key} is not written any more: what it has counted stays as it is`,
    );
  const days = daysToBackfill(request);
  const building = buildingAlike(rows.map(versionOf), chosen.version);
  if (building !== undefined) {
    const known = await readBackfill(tx, { namespace, meter: key, version: building.version });
    if (known !== undefined) return { meter: building, backfill: again(tx, sameDays(known, days, request)) };
  }
  const row = await readCatalogueRow(tx, namespace);
  const startedVersion = row.version + 1;
  tx.upsert(catalogue, { ...row, version: startedVersion });
  const meter =
    building ??
    insertVersion(tx, {
      namespace,
      key,
      definition: chosen.definition,
      since: startedVersion,
      all: await readMeterVersions(tx, namespace),
    });
  const backfill = newBackfill(request, meter, { ...days, startedVersion });
  tx.insert(meterBackfill, backfill);
  writeAuditEntry(tx, {
    ...request,
    action: 'meter.backfill',
    target: key,
    details: {
      version: meter.version,
      from: formatInstant(dayStart(days.firstDay)),
      to: formatInstant(dayStart(days.endDay)),
    },
  });
  return { meter, backfill };
}

/** The version itself while nobody reads it, or the newest that was made of it and is still being built. */
function buildingAlike(versions: readonly MeterVersion[], chosen: number): MeterVersion | undefined {
  const named = versions.find(({ version }) => version === chosen);
  if (named?.state === 'building') return named;
  return versions.findLast(
    ({ version, state, definition, until }) =>
      version > chosen &&
      state === 'building' &&
      until === null &&
      named !== undefined &&
      countsAlike(definition, named.definition),
  );
}

/** One that differed from the events is compared with them again: it may have been repaired. */
function again(tx: Transaction, known: Backfill): Backfill {
  if (known.state !== 'different') return known;
  const again = { ...known, state: 'reconciling', reconciliation: null } as const;
  tx.upsert(meterBackfill, again);
  return again;
}

interface Days {
  readonly firstDay: DayIndex;
  readonly endDay: DayIndex;
}

function daysToBackfill({ from, to, now }: StartBackfill): Days {
  const today = dayOf(now);
  const earliest = today - BACKFILL_DAYS_MAX;
  // Events may be published a little ahead of their time.
  const latest = today + 2;
  const firstDay = from === undefined ? earliest : dayOf(from);
  const endDay = to === undefined ? latest : dayOf(to - 1) + 1;
  const violations: Violation[] = [];
  if (firstDay < earliest)
    violations.push({
      pointer: '/from',
      code: 'out_of_range',
      message: `is before ${formatInstant(dayStart(earliest))}: cells of hours are kept for that long`,
    });
  if (endDay > latest)
    violations.push({
      pointer: '/to',
      code: 'out_of_range',
      message: 'is in the future, which has no events yet',
    });
  if (endDay <= firstDay)
    violations.push({ pointer: '/to', code: 'out_of_range', message: 'is not after from' });
  if (violations.length > 0) throw new BackfillError('invalid_backfill', sentenceOf(violations), violations);
  return { firstDay, endDay };
}

/** Days never change once corrections go by them: those who asked for none take those that there are. */
function sameDays(known: Backfill, { firstDay, endDay }: Days, { from, to }: StartBackfill): Backfill {
  const same =
    (from === undefined || firstDay === known.firstDay) && (to === undefined || endDay === known.endDay);
  if (same) return known;
  throw new BackfillError(
    'backfill_exists',
    `version ${known.version} of ${known.meter} is backfilled from ${formatInstant(dayStart(known.firstDay))} to ${formatInstant(dayStart(known.endDay))}: make a version more for other days`,
  );
}

const newBackfill = (
  { namespace, key }: StartBackfill,
  { version, generation, since }: MeterVersion,
  started: Days & Pick<Backfill, 'startedVersion'>,
): Backfill => ({
  namespace,
  meter: key,
  version,
  generation,
  since,
  ...started,
  startedAt: commitTimestamp,
  state: 'waiting',
  waitsFor: null,
  shards: 0,
  parts: 0,
  partsDone: 0,
  events: 0,
  unmeasured: 0,
  reconciliation: null,
  completedAt: null,
});
