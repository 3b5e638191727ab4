import { METERS_PER_EVENT_TYPE_MAX } from '#domain/limits.ts';
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
import { readCatalogueRow, readMeterVersions } from './load-catalogue.ts';
import { catalogue, meterVersion } from './tables.ts';

/** The request is at fault: every violation, and how to mend it. */
export class InvalidMeter extends Error {
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(violations.map(({ pointer, message }) => `${pointer} ${message}`).join('; '));
    this.name = 'InvalidMeter';
    this.violations = violations;
  }
}

/** What `PUT /v1/meters/{key}` did: `unchanged` when the definition counts as the newest version does. */
export interface SavedMeter {
  readonly meter: MeterVersion;
  readonly change: 'created' | 'versioned' | 'renamed' | 'unchanged';
}

/**
 * Saves a meter. The first version is read at once; another definition becomes the next version, with a generation of its own that is
 * `building` until it is activated, while readers stay on the one before. Throws `InvalidMeter`.
 */
export async function putMeter(
  database: Database,
  { namespace, key, definition }: { namespace: string; key: string; definition: MeterDefinition },
): Promise<SavedMeter> {
  const violations = [...checkKey(key), ...checkMeter(definition)];
  if (violations.length > 0) throw new InvalidMeter(violations);
  const { result } = await database.transact((tx) => save(tx, namespace, key, withoutAbsent(definition)));
  return result;
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
  if (newest && countsAlike(newest.definition, definition)) return rename(tx, namespace, newest, definition);
  checkRoom(all, definition.eventType);
  const version = row.version + 1;
  const meter: MeterVersion = {
    key,
    version: (newest?.version ?? 0) + 1,
    generation: (newest?.generation ?? 0) + 1,
    definition,
    state: newest ? 'building' : 'active',
    since: version,
    until: null,
  };
  tx.upsert(catalogue, { ...row, version });
  tx.insert(meterVersion, { namespace, ...meter, createdAt: commitTimestamp });
  return { meter, change: newest ? 'versioned' : 'created' };
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

function checkRoom(all: readonly MeterVersion[], eventType: string): void {
  const written = all.filter(({ until, definition }) => until === null && definition.eventType === eventType);
  if (written.length < METERS_PER_EVENT_TYPE_MAX) return;
  const message = `${eventType} has ${METERS_PER_EVENT_TYPE_MAX} meter versions already, the most an event type can have`;
  throw new InvalidMeter([{ pointer: '/eventType', code: 'too_many_meters', message }]);
}
