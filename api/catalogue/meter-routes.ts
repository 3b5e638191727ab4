import { z } from 'zod';
import { writeAuditEntry } from '#infra/audit/write-audit-entry.ts';
import { readBackfill, type BackfillName } from '#infra/backfill/backfill.ts';
import { checkMeter, type MeterVersion } from '#domain/metering/meter.ts';
import { activateMeter, revertMeter } from '#infra/catalogue/activate-meter.ts';
import { archiveMeter } from '#infra/catalogue/archive-meter.ts';
import { getMeter, listMeters, type Meter } from '#infra/catalogue/list-meters.ts';
import { saveMeter } from '#infra/catalogue/put-meter.ts';
import { warnAboutRecentEvents, type Asked } from '#infra/catalogue/warn-about-recent-events.ts';
import type { Reads } from '#infra/database/database.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { listQuery, pageOf } from '../http/schemas.ts';
import { keyPath, tag, versionPath } from './meter-paths.ts';
import { meterDocument, meterInput, savedMeterDocument, toMeterDocument } from './meter-documents.ts';

const LOCATION = { Location: 'The meter' };

async function existing(from: Reads, namespace: string, key: string): Promise<Meter> {
  const meter = await getMeter(from, namespace, key);
  if (meter === undefined) throw new Problem('meter_not_found', `there is no meter ${key}`);
  return meter;
}

/** A transaction does not see its own writes, so the changed versions take the place of those that were read. */
const withChanged = (meter: Meter | undefined, key: string, changed: readonly MeterVersion[]): Meter => {
  const versions = new Map(meter?.versions.map((version) => [version.version, version]));
  for (const version of changed) versions.set(version.version, version);
  return { key, versions: [...versions.values()] };
};

const putRoute = changeRoute({
  method: 'put',
  path: '/v1/meters/{key}',
  name: 'putMeter',
  tag,
  scope: 'catalogue:write',
  summary: 'Saves a meter',
  description:
    'It counts the events that are committed after this answer. What a saved meter counts never changes: another definition makes the next ' +
    'version, which is counted beside the active one until it is activated.',
  parameters: { path: keyPath },
  body: jsonBody(meterInput),
  answers: {
    200: { description: 'The meter as it is now', json: savedMeterDocument },
    201: { description: 'The meter is new', json: savedMeterDocument, headers: LOCATION },
  },
  problems: ['invalid_meter'],
  prepare: ({ warehouse }, { namespace, path: { key }, body, now }) =>
    warningsOf(warehouse, { namespace, key, definition: body, now }),
  change: async (tx, { namespace, path: { key }, body }, _services, warnings) => {
    const before = await getMeter(tx, namespace, key);
    const { meter, change } = await saveMeter(tx, { namespace, key, definition: body });
    const saved = {
      ...toMeterDocument(withChanged(before, key, [meter])),
      savedVersion: meter.version,
      change,
      warnings,
    };
    return change === 'created' ? json(201, saved, { Location: `/v1/meters/${key}` }) : json(200, saved);
  },
  committed: ({ catalogues }, { namespace }) => catalogues.forget(namespace),
});

/** A warning is a service: that none can be given is no reason to refuse the meter. */
async function warningsOf(warehouse: Warehouse, asked: Asked): Promise<string[]> {
  if (checkMeter(asked.definition).length > 0) return [];
  try {
    const { examined, warnings } = await warnAboutRecentEvents({ warehouse }, asked);
    return warnings.map(
      ({ events, message, example: { source, id } }) =>
        `${events} of the last ${examined} events of the type ${message} (for one, ${id} of ${source})`,
    );
  } catch {
    return ['recent events of the type could not be looked at'];
  }
}

const getRoute = route({
  method: 'get',
  path: '/v1/meters/{key}',
  name: 'getMeter',
  tag,
  scope: 'catalogue:read',
  summary: 'One meter with its versions',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The meter', json: meterDocument } },
  problems: ['meter_not_found'],
  handle: async ({ database }, { namespace, path }) =>
    json(200, toMeterDocument(await existing(database, namespace, path.key))),
});

const listRoute = route({
  method: 'get',
  path: '/v1/meters',
  name: 'listMeters',
  tag,
  scope: 'catalogue:read',
  summary: 'Meters by key, archived ones too',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(meterDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const after = positionOf(query.cursor, z.string());
    const meters = await listMeters(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return json(200, pageAfter(meters, query.limit, { item: toMeterDocument, position: ({ key }) => key }));
  },
});

const activateRoute = changeRoute({
  method: 'post',
  path: '/v1/meters/{key}/versions/{version}/activate',
  name: 'activateMeterVersion',
  tag,
  scope: 'catalogue:write',
  summary: 'Lets questions be answered by another version',
  description:
    'The version before is counted for 7 days more and can be switched back to. A version that is being built holds only the events since it was ' +
    'made, until its backfill is complete; `partial` says that this is meant.',
  parameters: { path: versionPath, query: z.strictObject(previewQuery) },
  body: jsonBody(z.strictObject({ partial: z.boolean().default(false) })),
  answers: { 200: { description: 'The meter as it is now', json: meterDocument } },
  problems: [
    'meter_not_found',
    'meter_version_not_found',
    'meter_version_ended',
    'meter_version_incomplete',
    'aggregation_not_limitable',
    'prices_not_served',
  ],
  change: async (tx, { namespace, path: { key, version }, query, body, principal, requestId, now }) => {
    const meter = await existing(tx, namespace, key);
    const chosen = meter.versions.find((each) => each.version === version);
    if (chosen?.state === 'building' && !body.partial)
      await checkComplete(tx, { namespace, meter: key, version });
    await activateMeter(asPreviewed(tx, query), { namespace, key, version, now });
    const origin = { principal: principal.keyId, requestId, now, reason: '' };
    if (chosen?.state !== 'active')
      writeAuditEntry(asPreviewed(tx, query), {
        ...origin,
        namespace,
        action: 'meter.activate',
        target: key,
        details: { version },
      });
    return json(200, toMeterDocument(switched(meter, version)));
  },
  committed: ({ catalogues }, { namespace }) => catalogues.forget(namespace),
});

/** A version that is being built has everything only once its backfill has it. */
async function checkComplete(from: Reads, name: BackfillName): Promise<void> {
  const backfill = await readBackfill(from, name);
  if (backfill?.state === 'complete') return;
  throw new Problem(
    'meter_version_incomplete',
    backfill === undefined
      ? `version ${name.version} of ${name.meter} holds only the events since it was made: say \`partial\` if that is meant, or backfill it first`
      : `the backfill of version ${name.version} of ${name.meter} is ${backfill.state}: wait until it is complete, or say \`partial\``,
  );
}

const revertRoute = changeRoute({
  method: 'post',
  path: '/v1/meters/{key}/versions/{version}/revert',
  name: 'revertMeterVersion',
  tag,
  scope: 'catalogue:write',
  summary: 'Lets questions be answered again by the version that was active before this one',
  parameters: { path: versionPath, query: z.strictObject(previewQuery) },
  answers: { 200: { description: 'The meter as it is now', json: meterDocument } },
  problems: [
    'meter_not_found',
    'meter_version_not_found',
    'no_earlier_version',
    'aggregation_not_limitable',
    'prices_not_served',
  ],
  change: async (tx, { namespace, path: { key, version }, query, principal, requestId, now }) => {
    const meter = await existing(tx, namespace, key);
    const chosen = meter.versions.find((each) => each.version === version);
    if (chosen === undefined)
      throw new Problem('meter_version_not_found', `the meter ${key} has no version ${version}`);
    if (chosen.state !== 'active')
      throw new Problem('no_earlier_version', `version ${version} of ${key} is not the active one`);
    const active = await revertMeter(asPreviewed(tx, query), { namespace, key, now });
    const origin = { principal: principal.keyId, requestId, now, reason: '' };
    const details = { version, to: active.version };
    writeAuditEntry(asPreviewed(tx, query), {
      ...origin,
      namespace,
      action: 'meter.revert',
      target: key,
      details,
    });
    return json(200, toMeterDocument(switched(meter, active.version)));
  },
  committed: ({ catalogues }, { namespace }) => catalogues.forget(namespace),
});

/** The meter once readers are on this version. */
const switched = (meter: Meter, active: number): Meter => ({
  key: meter.key,
  versions: meter.versions.map((each) => {
    if (each.version === active) return { ...each, state: 'active' };
    if (each.state !== 'active') return each;
    return { ...each, state: each.until === null ? 'retired' : 'ended' };
  }),
});

const archiveRoute = changeRoute({
  method: 'delete',
  path: '/v1/meters/{key}',
  name: 'archiveMeter',
  tag,
  scope: 'catalogue:write',
  summary: 'Stops a meter; what it has counted stays readable',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The meter as it is now', json: meterDocument } },
  problems: ['meter_not_found', 'meter_in_use'],
  change: async (tx, { namespace, path: { key }, now }) =>
    json(200, toMeterDocument({ key, versions: await archiveMeter(tx, { namespace, key, now }) })),
  committed: ({ catalogues }, { namespace }) => catalogues.forget(namespace),
});

export const METER_ROUTES: readonly Route[] = [
  putRoute,
  getRoute,
  listRoute,
  activateRoute,
  revertRoute,
  archiveRoute,
];
