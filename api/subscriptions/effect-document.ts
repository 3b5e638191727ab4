import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { NOTICE_CODES } from '#domain/plans/compatibility.ts';
import type { Effect } from '#domain/subscriptions/effect.ts';
import type { TimelineEvent } from '#domain/subscriptions/timeline-event.ts';
import type { Frozen } from '../http/answer.ts';
import { quantityOutput, timeOutput } from '../http/schemas.ts';
import { anchorOutput, toAnchorDocument } from '../rating/anchor-input.ts';
import { overrideInput } from './inputs.ts';

const versionOutput = z.object({ plan: z.string(), version: z.int() });
const seatsOutput = quantityOutput.nullable().meta({ description: 'Null: as many as the plan says' });

/** Every kind of event; where it is said of a change, with what is said besides. */
const eventKinds = <Besides extends z.ZodRawShape>(besides: Besides) => {
  const kind = <Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) =>
    z.object({ at: timeOutput, kind: z.literal(name), ...shape, ...besides });
  return [
    kind('starts', { plan: z.string(), version: z.int() }),
    kind('ends', {}),
    kind('pauses', {}),
    kind('resumes', {}),
    kind('planChanges', { from: versionOutput, to: versionOutput }),
    kind('phaseBegins', { phase: z.string() }),
    kind('anchorChanges', { anchor: anchorOutput }),
    kind('seatsChange', { charge: z.string(), before: seatsOutput, after: seatsOutput }),
    kind('addOnChanges', { addOn: z.string(), before: quantityOutput, after: quantityOutput }),
    kind('overrideChanges', {
      charge: z.string(),
      override: overrideInput.nullable().meta({ description: 'Null: the plan’s own holds' }),
    }),
  ] as const;
};

/** What happens to a subscription at a moment. */
export const eventDocument = z.discriminatedUnion('kind', eventKinds({})).meta({ id: 'SubscriptionEvent' });

const noticeDocument = z.object({
  at: timeOutput,
  kind: z.literal('notice'),
  code: z.enum(NOTICE_CODES),
  key: z.string().nullable().meta({ description: 'The charge or add-on that it is about' }),
  message: z.string(),
});
const dropped = z.boolean().meta({ description: 'It was to happen, and does not any more' });

/** What a change does. */
export const effectDocument = z
  .discriminatedUnion('kind', [...eventKinds({ dropped }), noticeDocument])
  .meta({ id: 'SubscriptionEffect' });

type EventDocument = Frozen<z.input<typeof eventDocument>>;

export function toEventDocument(event: TimelineEvent): EventDocument {
  const at = formatInstant(event.at);
  return event.kind === 'anchorChanges'
    ? { ...event, at, anchor: toAnchorDocument(event.anchor) }
    : { ...event, at };
}

export function toEffectDocument(effect: Effect): Frozen<z.input<typeof effectDocument>> {
  if (effect.kind === 'notice') return { ...effect, at: formatInstant(effect.at) };
  return { ...toEventDocument(effect), dropped: effect.dropped };
}
