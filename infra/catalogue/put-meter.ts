import { METERS_PER_EVENT_TYPE_MAX, VERSIONS_PER_METER_MAX } from '#domain/limits.ts';
import {
  checkMeter,
  countsAlike,
  METER_KEY,
  type MeterDefinition,
  type MeterVersion,
  type Violation,
} from '#domain/metering/meter.ts';
import type { Database, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { RuleError, sentenceOf } from '#infra/rule-error.ts';
import { readCatalogueRow, readMeterVersions } from './load-catalogue.ts';
import { catalogue, meterVersion } from './tables.ts';

/** The request is at fault: every violation, and how to mend it. */
export class InvalidMeter extends RuleError<'invalid_meter'> {
  override readonly name = 'InvalidMeter';

  constructor(violations: readonly Violation[]) {
    super('invalid_meter', sentenceOf(violations), violations);
  }
}

/** What `PUT /v1/meters/{key}` did: `unchanged` when the definition counts as the newest version does. */
export interface SavedMeter {
  readonly meter: MeterVersion;
  readonly change: 'created' | 'versioned' | 'renamed' | 'unchanged';
}

export interface SaveMeter {
  readonly namespace: string;
  readonly key: string;
  readonly definition: MeterDefinition;
}

/**
 * Saves a meter. The first version is read at once; another definition becomes the next version, with a generation of its own that is
 * `building` until it is activated, while readers stay on the one before. So does any definition of an archived meter, which then counts
 * again. Throws `InvalidMeter`.
 */
export async function saveMeter(
  tx: Transaction,
  { namespace, key, definition }: SaveMeter,
): Promise<SavedMeter> {
  const violations = [...checkKey(key), ...checkMeter(definition)];
  if (violations.length > 0) throw new InvalidMeter(violations);
  return save(tx, namespace, key, withoutAbsent(definition));
}

/** The same in a transaction of its own. */
export async function putMeter(database: Database, meter: SaveMeter): Promise<SavedMeter> {
  return (await database.transact((tx) => saveMeter(tx, meter))).result;
}

/** A field that is there and undefined is one that is not there; JSON knows only the latter. */
const withoutAbsent = (definition: MeterDefinition): MeterDefinition => {
  const { value, dimensions, filter, ...required } = definition;
  return {
    ...required,
    ...(value === undefined ? {} : { value }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(filter === undefined ? {} : { filter }),
  };
};

const checkKey = (key: string): Violation[] =>
  METER_KEY.test(key)
    ? []
    : [{ pointer: '', code: 'invalid_key', message: `the meter's key matches ${METER_KEY.source}` }];

async function save(
  tx: Transaction,
  namespace: string,
  key: string,
  definition: MeterDefinition,
): Promise<SavedMeter> {
  const [row, all] = await Promise.all([readCatalogueRow(tx, namespace), readMeterVersions(tx, namespace)]);
  const newest = all.filter((meter) => meter.key === key).at(-1);
  if (newest?.until === null && countsAlike(newest.definition, definition))
    return rename(tx, namespace, newest, definition);
  const since = row.version + 1;
  const meter = insertVersion(tx, { namespace, key, definition, since, all });
  tx.upsert(catalogue, { ...row, version: since });
  return { meter, change: newest ? 'versioned' : 'created' };
}

export interface InsertVersion {
  readonly namespace: string;
  readonly key: string;
  readonly definition: MeterDefinition;
  /** The catalogue version that it is made with, to which the caller raises the catalogue. */
  readonly since: number;
  /** All versions of all meters. */
  readonly all: readonly MeterVersion[];
}

/** The next version of a meter, whatever it counts. Throws `InvalidMeter` where there is no room for it. */
export function insertVersion(
  tx: Transaction,
  { namespace, key, definition, since, all }: InsertVersion,
): MeterVersion {
  const newest = all.filter((meter) => meter.key === key).at(-1);
  checkRoom(all, definition.eventType);
  checkVersions(key, newest);
  const meter: MeterVersion = {
    key,
    version: (newest?.version ?? 0) + 1,
    generation: (newest?.generation ?? 0) + 1,
    definition,
    state: newest ? 'building' : 'active',
    since,
    until: null,
  };
  tx.insert(meterVersion, { namespace, ...meter, stateSince: since, createdAt: commitTimestamp });
  return meter;
}

/** A name counts nothing, so it may change without a version. */
function rename(
  tx: Transaction,
  namespace: string,
  newest: MeterVersion,
  definition: MeterDefinition,
): SavedMeter {
  if (newest.definition.name === definition.name) return { meter: newest, change: 'unchanged' };
  tx.update(meterVersion, { namespace, key: newest.key, version: newest.version, definition });
  return { meter: { ...newest, definition }, change: 'renamed' };
}

function checkVersions(key: string, newest: MeterVersion | undefined): void {
  if ((newest?.version ?? 0) < VERSIONS_PER_METER_MAX) return;
  const message = `${key} has ${VERSIONS_PER_METER_MAX} versions already, the most a meter can have`;
  throw new InvalidMeter([{ pointer: '', code: 'too_many_versions', message }]);
}

function checkRoom(all: readonly MeterVersion[], eventType: string): void {
  const written = all.filter(({ until, definition }) => until === null && definition.eventType === eventType);
  if (written.length < METERS_PER_EVENT_TYPE_MAX) return;
  const message = `${eventType} has ${METERS_PER_EVENT_TYPE_MAX} meter versions already, the most an event type can have`;
  throw new InvalidMeter([{ pointer: '/eventType', code: 'too_many_meters', message }]);
}
