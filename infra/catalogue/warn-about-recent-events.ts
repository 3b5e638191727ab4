import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import { FUTURE_MICROS } from '#domain/limits.ts';
import { compileCatalogue } from '#domain/metering/catalogue.ts';
import type { DeadLetterReason } from '#domain/metering/dead-letter.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { Warehouse, WarehouseRow } from '#infra/warehouse/warehouse.ts';

/** Something that would go wrong with events like those of late. */
export interface MeterWarning {
  /** The reason of their dead letters, or `filter_error`: the filter could not be evaluated, so that they would not count. */
  readonly code: DeadLetterReason | 'filter_error';
  readonly message: string;
  /** How many of the examined events it is about. */
  readonly events: number;
  /** The latest of them. */
  readonly example: { readonly source: string; readonly id: string };
}

export interface RecentEvents {
  /** How many events were looked at; 0 when none of the type came lately. */
  readonly examined: number;
  readonly warnings: readonly MeterWarning[];
}

/** The meter that is to be saved, or was just saved. */
export interface Asked {
  readonly namespace: string;
  readonly key: string;
  readonly definition: MeterDefinition;
  readonly now: Instant;
}

const EXAMINED_MAX = 1_000;
/** Looked at one after the other until there are events: a busy type shows what it is in minutes. */
const SPANS_MICROS = [10 * MICROS_PER_MINUTE, MICROS_PER_HOUR, MICROS_PER_DAY, 7 * MICROS_PER_DAY];

/**
 * What would become of recent events of the meter's type: a meter whose value they lack makes dead letters of all that follow. Reads at most
 * 1,000 rows of the warehouse in each of four spans. Throws what the warehouse throws.
 */
export async function warnAboutRecentEvents(
  { warehouse }: { readonly warehouse: Pick<Warehouse, 'query'> },
  asked: Asked,
): Promise<RecentEvents> {
  for (const span of SPANS_MICROS) {
    const events = await readEvents(warehouse, { ...asked, span });
    if (events.length > 0) return { examined: events.length, warnings: judge(asked, events) };
  }
  return { examined: 0, warnings: [] };
}

interface Span extends Asked {
  readonly span: number;
}

async function readEvents(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, definition, now, span }: Span,
): Promise<UsageEvent[]> {
  const events = new Map<string, UsageEvent>();
  const rows = warehouse.query('events', {
    namespace,
    type: definition.eventType,
    from: formatInstant(now - span),
    to: formatInstant(now + FUTURE_MICROS),
    limit: EXAMINED_MAX,
  });
  for await (const row of rows)
    // Rows come at least once, and voids and conflicts are no events of their own.
    if (row['outcome'] === 'accepted') events.set(String(row['identity']), toEvent(namespace, row));
  return [...events.values()];
}

/** As much of the event as matching looks at. */
const toEvent = (namespace: string, row: WarehouseRow): UsageEvent => ({
  namespace,
  identity: fromHex(String(row['identity'])),
  digest: '',
  id: String(row['id']),
  source: String(row['source']),
  type: String(row['type']),
  subject: String(row['subject']),
  sentTime: null,
  time: 0,
  data: typeof row['data'] === 'string' ? row['data'] : 'null',
  attributes: null,
  publishTime: 0,
});

function judge({ namespace, key, definition }: Asked, events: readonly UsageEvent[]): MeterWarning[] {
  const version = {
    key,
    version: 1,
    generation: 1,
    state: 'active' as const,
    since: 1,
    until: null,
  };
  const catalogue = compileCatalogue(namespace, 1, [{ ...version, definition }]);
  const warnings = new Map<MeterWarning['code'], MeterWarning>();
  for (const event of events) {
    const matched = matchEvent(catalogue, event);
    const fault = matched.refusal
      ? { code: matched.refusal.reason, message: `would be refused: ${matched.refusal.detail}` }
      : matched.filterErrors > 0
        ? {
            code: 'filter_error' as const,
            message: 'would not count: the filter cannot be evaluated on them',
          }
        : undefined;
    if (fault === undefined) continue;
    const { source, id } = event;
    const counted = (warnings.get(fault.code)?.events ?? 0) + 1;
    warnings.set(fault.code, { ...fault, events: counted, example: { source, id } });
  }
  return [...warnings.values()];
}
