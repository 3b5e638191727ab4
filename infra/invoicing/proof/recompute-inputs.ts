import type {
  InvoiceInputs,
  ItemInputs,
  MeasuredUsage,
  SubscriptionInputs,
} from '#domain/invoicing/invoice-inputs.ts';
import { usageNeeded } from '#domain/invoicing/usage-needed.ts';
import type { Warehouse } from '#infra/warehouse/warehouse.ts';
import { dispatchEvents, type EventReader } from './dispatch-events.ts';
import { levelsBefore } from './levels.ts';
import { subjectsAsRead, type LineQuestion, type MeterVersions } from './line-question.ts';
import { createRecount, type Recount } from './recount.ts';

export interface RecomputeInputs {
  readonly namespace: string;
  readonly inputs: InvoiceInputs;
  readonly meters: MeterVersions;
  /** Whoever else wants events is served in the same pass. */
  readonly alongside: readonly EventReader[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The inputs of an invoice with all usage measured once more, from the events in the warehouse as of the commit that the invoice was
 * collected at. Throws what the warehouse throws.
 */
export async function recomputeInputs(
  warehouse: Pick<Warehouse, 'query'>,
  { namespace, inputs, meters, alongside, signal }: RecomputeInputs,
): Promise<InvoiceInputs> {
  const recounts = new Map<MeasuredUsage, Recount>();
  for (const subscription of inputs.subscriptions)
    for (const item of subscription.items)
      for (const [place, measured] of item.usage.entries()) {
        const question = questionOf(inputs, { subscription, item, place, measured }, meters);
        if (question === undefined) continue;
        const levels =
          question.line.meter.definition.aggregation === 'timeWeightedSum'
            ? await levelsBefore(warehouse, namespace, question.line)
            : NO_LEVELS;
        recounts.set(measured, createRecount(question.line, question.needs, levels));
      }
  const readers = [...recounts.values(), ...alongside];
  await dispatchEvents(warehouse, { namespace, readers, signal });
  const recounted = (measured: MeasuredUsage): MeasuredUsage =>
    recounts.get(measured)?.measured() ?? measured;
  return {
    ...inputs,
    subscriptions: inputs.subscriptions.map((subscription) => ({
      ...subscription,
      items: subscription.items.map((item) => ({ ...item, usage: item.usage.map(recounted) })),
    })),
  };
}

const NO_LEVELS = new Map<string, never>();

interface Measured {
  readonly subscription: SubscriptionInputs;
  readonly item: ItemInputs;
  /** Which of the item's segments it is of. */
  readonly place: number;
  readonly measured: MeasuredUsage;
}

/** What a measurement is of: a segment of its item, up to where that was billed. Undefined where nothing was measured. */
function questionOf(
  { usage }: InvoiceInputs,
  { subscription: { customer }, item: { item, through }, place, measured }: Measured,
  meters: MeterVersions,
): { readonly line: LineQuestion; readonly needs: ReturnType<typeof usageNeeded> } | undefined {
  if (measured.kind === 'none' || measured.kind === 'seats' || item.kind !== 'usage' || usage === null)
    return undefined;
  const segment = item.segments.filter(({ from }) => from < through)[place];
  if (segment === undefined) throw new Error(`item ${item.id} has no segment ${place}`);
  const period = { from: segment.from, to: Math.min(segment.to, through) };
  return {
    line: {
      meter: meters(measured.meter, measured.meterVersion),
      period,
      subjects: subjectsAsRead(usage, customer.key, period),
      at: usage.readAt,
    },
    needs: usageNeeded(segment.charge, segment.price),
  };
}
