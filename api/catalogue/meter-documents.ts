import { z } from 'zod';
import { AGGREGATIONS } from '#domain/metering/accumulator.ts';
import type { MeterState, MeterVersion } from '#domain/metering/meter.ts';
import { activeVersionOf, isArchived, type Meter } from '#infra/catalogue/list-meters.ts';
import { recordInput } from '../http/schemas.ts';

/** A meter as a caller gives it; paths and the CEL filter are checked when it is saved. */
export const meterInput = z
  .strictObject({
    name: z.string(),
    eventType: z.string(),
    aggregation: z.enum(AGGREGATIONS),
    value: z
      .string()
      .exactOptional()
      .meta({ description: 'A dotted path into `data`; every aggregation but count has one' }),
    dimensions: recordInput(z.string())
      .exactOptional()
      .meta({ description: 'Names, each with a dotted path into `data`' }),
    filter: z
      .string()
      .exactOptional()
      .meta({ description: 'A CEL expression over the event: `data.model != "free"`' }),
  })
  .meta({
    id: 'MeterInput',
    example: {
      name: 'Tokens',
      eventType: 'llm.request',
      aggregation: 'sum',
      value: 'tokens',
      dimensions: { model: 'model' },
    },
  });

const STATES = ['building', 'active', 'retired', 'ended'] as const satisfies readonly MeterState[];

const versionDocument = z
  .object({
    version: z.int(),
    generation: z.int().meta({ description: 'The generation of cells that this version counts into' }),
    state: z.enum(STATES).meta({
      description:
        '`building`: counted, not read yet. `active`: answers questions. `retired`: still counted, can be switched back to. `ended`: history.',
    }),
    counts: z.boolean().meta({ description: 'Whether events are still counted into it' }),
    name: z.string(),
    eventType: z.string(),
    aggregation: z.enum(AGGREGATIONS),
    value: z.string().exactOptional(),
    dimensions: z.record(z.string(), z.string()).exactOptional(),
    filter: z.string().exactOptional(),
  })
  .meta({ id: 'MeterVersion' });

export const meterDocument = z
  .object({
    key: z.string(),
    activeVersion: z.int().nullable().meta({ description: 'The version that answers questions' }),
    archived: z.boolean(),
    versions: z.array(versionDocument),
  })
  .meta({ id: 'Meter' });

export const savedMeterDocument = meterDocument
  .extend({
    savedVersion: z.int().meta({ description: 'The version that has the definition that was sent' }),
    change: z.enum(['created', 'versioned', 'renamed', 'unchanged']),
    warnings: z.array(z.string()).meta({ description: 'Why recent events of the type would not be counted' }),
  })
  .meta({ id: 'SavedMeter' });

const toVersionDocument = ({ version, generation, state, until, definition }: MeterVersion) => {
  const { name, eventType, aggregation, value, dimensions, filter } = definition;
  return {
    version,
    generation,
    state,
    counts: until === null,
    name,
    eventType,
    aggregation,
    ...(value === undefined ? {} : { value }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(filter === undefined ? {} : { filter }),
  };
};

export const toMeterDocument = (meter: Meter) => ({
  key: meter.key,
  activeVersion: activeVersionOf(meter)?.version ?? null,
  archived: isArchived(meter),
  versions: meter.versions.map(toVersionDocument),
});
