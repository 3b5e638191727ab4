import { hash } from 'node:crypto';
import type { DayIndex } from '#domain/instant.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { shardOf } from '#infra/backfill/parts.ts';
import type { SubjectShard } from '#infra/warehouse/questions/event-scope.ts';
import type { CombineFn } from '#pipelines/beam/combining.ts';
import type { CorrectedEvent } from '#pipelines/recount/read-events.ts';
import { bothControlled, NO_CONTROL, type ControlTally } from './control-tally.ts';

/** What a step has done of a part. Plain data. */
export interface PartTally {
  readonly kind: 'tally';
  readonly day: DayIndex;
  readonly shard: number;
  readonly events: number;
  readonly unmeasured: number;
  /** Which corrections the events were read with, from whoever has read them; null from the others. */
  readonly corrected: string | null;
  readonly control: ControlTally;
}

export const partOfTally = ({ day, shard }: PartTally): string => `${day} ${shard}`;

export type Tallied = Omit<PartTally, 'kind' | 'day' | 'shard'>;

const NOTHING: Tallied = { events: 0, unmeasured: 0, corrected: null, control: NO_CONTROL };

const together = (a: Tallied, b: Tallied): Tallied => ({
  events: a.events + b.events,
  unmeasured: a.unmeasured + b.unmeasured,
  corrected: a.corrected ?? b.corrected,
  control: bothControlled(a.control, b.control),
});

/** Everything that was done of a part: in a bounded collection that is known when all of it is done. */
export class TallyCombiner implements CombineFn<PartTally, Tallied, Tallied> {
  createAccumulator(): Tallied {
    return NOTHING;
  }

  addInput(into: Tallied, tally: PartTally): Tallied {
    return together(into, tally);
  }

  mergeAccumulators(several: Iterable<Tallied>): Tallied {
    let merged = NOTHING;
    for (const each of several) merged = together(merged, each);
    return merged;
  }

  extractOutput(tallied: Tallied): Tallied {
    return tallied;
  }
}

/** Says of a shard's corrected events which they are and what they are now: two that are equal are of the same corrections. */
export function correctionsOf(
  corrected: ReadonlyMap<Hash128, CorrectedEvent>,
  { shard, shards }: SubjectShard,
): string {
  const lines = Array.from(corrected.values())
    .filter(({ subject }) => shardOf(subject, shards) === shard)
    .map(({ identity, state }) => `${toHex(identity)} ${state}`)
    .sort();
  return hash('sha256', lines.join('\n'), 'hex');
}
