import fc from 'fast-check';
import type { Copy } from '#domain/metering/batch.ts';
import { compileCatalogue, type Catalogue } from '#domain/metering/catalogue.ts';
import { matchEvent } from '#domain/metering/effects.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import { MICROS_PER_HOUR, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { eventWith, meterVersion, NOON } from './sample-events.ts';

/** A meter of every aggregation, each with and without dimensions: more cells a subject than are looked through in turn. */
export const EVERY_METER: Catalogue = compileCatalogue(
  'default',
  1,
  AGGREGATIONS.flatMap((aggregation) => {
    const value = aggregation === 'count' ? undefined : 'value';
    return [
      meterVersion({ aggregation, value }, { key: aggregation }),
      meterVersion(
        { aggregation, value, dimensions: { model: 'model' } },
        { key: `${aggregation}-by-model` },
      ),
    ];
  }),
);

export function copyOf(event: UsageEvent, messageId = '1', catalogue = EVERY_METER): Copy {
  const matched = matchEvent(catalogue, event);
  if (matched.refusal) throw new Error(matched.refusal.detail);
  return { event, effects: matched.effects, messageId };
}

/**
 * Few identities, subjects, times and values, so that events meet in cells and copies of one identity differ. Every copy is a message of
 * its own, since a message never says two things.
 */
export const copies = (maxLength = 12): fc.Arbitrary<Copy[]> =>
  fc.array(COPY, { maxLength }).map((all) => all.map((copy, i) => ({ ...copy, messageId: String(i * 7) })));

const COPY: fc.Arbitrary<Copy> = fc
  .record({
    id: fc.integer({ min: 1, max: 12 }),
    subject: fc.constantFrom('acme', 'bolt'),
    minutes: fc.constantFrom(0, 1, 59, 60, 61, 720, 1_440),
    micros: fc.constantFrom(0, 1, MICROS_PER_MINUTE - 1),
    value: fc.constantFrom(
      '0',
      '1',
      '-1',
      '2.5',
      '-0.000000000000000001',
      '9007199254740991',
      '99999999999999999999',
    ),
    model: fc.constantFrom('m1', 'm2', null),
    publishedAfter: fc.constantFrom(0, 1, 2),
  })
  .map(({ id, subject, minutes, micros, value, model, publishedAfter }) => {
    const event = eventWith(JSON.stringify({ model }).replace('{', `{"value":${value},`), {
      id: `"e-${id}"`,
      subject: `"${subject}"`,
    });
    const time = NOON - 30 * MICROS_PER_HOUR + minutes * MICROS_PER_MINUTE + micros;
    return copyOf({ ...event, time, publishTime: NOON + publishedAfter });
  });
