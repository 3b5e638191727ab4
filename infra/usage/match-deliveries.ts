import type { Copy } from '#domain/metering/batch.ts';
import type { Refusal } from '#domain/metering/dead-letter.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import type { EventContent } from '#domain/metering/event.ts';
import type { Catalogues } from '#infra/catalogue/catalogues.ts';
import type { LoadedCatalogue } from '#infra/catalogue/load-catalogue.ts';
import { catalogueOf, type CatalogueSet } from './catalogue-set.ts';
import type { RefusedDelivery } from './commit.ts';
import type { Delivery } from './delivery.ts';

/** The catalogues of all namespaces that have an event among the deliveries. One after the other: they are known but for the first time. */
export async function loadCatalogues(
  from: Catalogues,
  deliveries: readonly Delivery[],
): Promise<CatalogueSet> {
  const catalogues = new Map<string, LoadedCatalogue>();
  for (const { event, namespace } of deliveries) {
    if (event !== undefined && !catalogues.has(namespace))
      catalogues.set(namespace, await from.get(namespace));
  }
  return catalogues;
}

/** Deliveries as one version of their namespaces' catalogues counts them. */
export interface MatchedDeliveries {
  readonly copies: readonly Copy[];
  readonly refused: readonly RefusedDelivery[];
  /** Those, counted or refused, that replay a dead letter. */
  readonly replays: readonly Delivery[];
  readonly filterErrors: number;
  readonly schemaReports: number;
}

export function matchDeliveries(
  catalogues: CatalogueSet,
  deliveries: readonly Delivery[],
): MatchedDeliveries {
  const copies: Copy[] = [];
  const refused: RefusedDelivery[] = [];
  const replays = deliveries.filter((delivery) => delivery.replays !== undefined);
  let filterErrors = 0;
  let schemaReports = 0;
  for (const delivery of deliveries) {
    const { event, message } = delivery;
    if (event === undefined) {
      refused.push({ delivery, refusal: delivery.refusal });
      continue;
    }
    const catalogue = catalogueOf(catalogues, delivery.namespace);
    const judged = judgeSchema(catalogue, event);
    const matched = judged.refusal ? judged : matchEvent(catalogue.current, event);
    if (matched.refusal) {
      refused.push({ delivery, refusal: matched.refusal });
      continue;
    }
    if (judged.reported) schemaReports++;
    filterErrors += matched.filterErrors;
    copies.push({ event, effects: matched.effects, messageId: message.id });
  }
  return { copies, refused, replays, filterErrors, schemaReports };
}

/** A dead letter names the first few of what is wrong; the rest shows when those are mended. */
const VIOLATIONS_SHOWN_MAX = 3;
/** What is wrong may quote names from the data, which a producer chooses. */
const DETAIL_LENGTH_MAX = 1_000;

type Judged =
  | { readonly reported: boolean; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly reported?: never };

const WELL_FORMED: Judged = { reported: false };
const REPORTED: Judged = { reported: true };

/** Whether an event follows the schema of its type, if there is one. */
export function judgeSchema(catalogue: LoadedCatalogue, { type, data }: EventContent): Judged {
  const schema = catalogue.schemaOf(type);
  if (schema === undefined) return WELL_FORMED;
  const violations = schema.validate(data);
  if (violations.length === 0) return WELL_FORMED;
  if (schema.enforce === 'report') return REPORTED;
  const shown = violations.slice(0, VIOLATIONS_SHOWN_MAX).join('; ');
  const detail = `data does not follow the schema of ${type}: ${shown}`
    .slice(0, DETAIL_LENGTH_MAX)
    .toWellFormed();
  return { refusal: { reason: 'schema_violation', detail } };
}
