import type { Instant } from '#domain/instant.ts';
import { FEATURE_NAME_BYTES_MAX, UNIT_BYTES_MAX } from '#domain/limits.ts';
import { METER_KEY } from '#domain/metering/meter.ts';
import { checkPrintable, type Violation } from '#domain/violation.ts';
import type { Reads, Transaction } from '#infra/database/database.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import type { Row } from '#infra/usage/tables.ts';
import { CatalogueError } from './errors.ts';
import { readMeterVersions } from './load-catalogue.ts';
import { feature } from './tables.ts';

export type Feature = Row<typeof feature>;

export interface PutFeature {
  readonly namespace: string;
  readonly key: string;
  readonly name: string;
  readonly meter?: string | null;
  readonly unit?: string | null;
  readonly now: Instant;
}

export interface SavedFeature {
  readonly feature: Feature;
  readonly change: 'created' | 'updated' | 'unchanged';
}

/**
 * Saves a feature; an archived one lives again. Once it has a meter it keeps it, since what was granted, limited and used is measured by
 * it. Throws `CatalogueError`: `invalid_feature` with every violation, `meter_not_found`, `feature_meter_fixed`.
 */
export async function putFeature(tx: Transaction, request: PutFeature): Promise<SavedFeature> {
  const { namespace, key, name, meter = null, unit = null, now } = request;
  const violations = checkFeature(request);
  if (violations.length > 0) throw new CatalogueError('invalid_feature', sentenceOf(violations), violations);
  const [before] = await Promise.all([
    readFeature(tx, namespace, key),
    meter === null ? undefined : checkMeterLives(tx, namespace, meter),
  ]);
  checkMeterStays(before, meter);
  const after = {
    namespace,
    key,
    name,
    meter,
    unit,
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    archivedAt: null,
  };
  if (before !== undefined && saysTheSame(before, after)) return { feature: before, change: 'unchanged' };
  tx.upsert(feature, after);
  return { feature: after, change: before === undefined ? 'created' : 'updated' };
}

/** One feature, archived or not; undefined when there is none. */
export async function readFeature(from: Reads, namespace: string, key: string): Promise<Feature | undefined> {
  const [row] = await from.read(feature, [[namespace, key]]);
  return row;
}

/** Features by key, archived ones too; `after` is the key of the last one of the page before. */
export async function listFeatures(
  from: Reads,
  namespace: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<Feature[]> {
  // The range is closed below, so the row named by `after` itself comes first.
  const range = { prefix: [namespace], ...(after === undefined ? {} : { from: after }) };
  const rows = await Array.fromAsync(from.scan(feature, range, { limit: limit + 1 }));
  return rows.filter(({ key }) => key !== after).slice(0, limit);
}

/** Takes a feature out of use; archiving it again changes nothing. Throws `CatalogueError` `feature_not_found`. */
export async function archiveFeature(
  tx: Transaction,
  { namespace, key, now }: { readonly namespace: string; readonly key: string; readonly now: Instant },
): Promise<Feature> {
  const row = await readFeature(tx, namespace, key);
  if (row === undefined) throw new CatalogueError('feature_not_found', `there is no feature ${key}`);
  if (row.archivedAt !== null) return row;
  const archived = { ...row, archivedAt: now, updatedAt: now };
  tx.upsert(feature, archived);
  return archived;
}

/** All that is wrong with a feature but its meter, at once. */
export function checkFeature({ key, name, meter, unit }: PutFeature): Violation[] {
  const matches = (pointer: string, text: string, what: string): Violation[] =>
    METER_KEY.test(text)
      ? []
      : [{ pointer, code: 'invalid_key', message: `the key of a ${what} matches ${METER_KEY.source}` }];
  return [
    ...matches('', key, 'feature'),
    ...checkPrintable('/name', name, FEATURE_NAME_BYTES_MAX),
    ...(meter == null ? [] : matches('/meter', meter, 'meter')),
    ...(unit == null ? [] : checkPrintable('/unit', unit, UNIT_BYTES_MAX)),
  ];
}

async function checkMeterLives(tx: Transaction, namespace: string, meter: string): Promise<void> {
  const versions = await readMeterVersions(tx, namespace, meter);
  if (versions.some(({ until }) => until === null)) return;
  const message = versions.length === 0 ? `there is no meter ${meter}` : `the meter ${meter} is archived`;
  throw new CatalogueError('meter_not_found', message, [
    { pointer: '/meter', code: 'meter_not_found', message },
  ]);
}

function checkMeterStays(before: Feature | undefined, meter: string | null): void {
  if (before === undefined || before.meter === null || before.meter === meter) return;
  const message = `the feature ${before.key} is measured by ${before.meter}, and stays so: make another feature`;
  const violation = { pointer: '/meter', code: 'feature_meter_fixed', message };
  throw new CatalogueError('feature_meter_fixed', message, [violation]);
}

const saysTheSame = (before: Feature, after: Feature): boolean =>
  before.name === after.name &&
  before.meter === after.meter &&
  before.unit === after.unit &&
  before.archivedAt === after.archivedAt;
