import type { Aggregation } from './accumulator.ts';
import type { Effect } from './effects.ts';
import { compileFilter, type Filter } from './filter.ts';
import { compilePath, type JsonPath } from './json-path.ts';
import type { MeterVersion } from './meter.ts';

/** A meter version made ready for matching. */
export interface CompiledMeter {
  readonly key: string;
  readonly generation: number;
  /** `key@generation`: how the warehouse names it. */
  readonly label: string;
  readonly aggregation: Aggregation;
  readonly value: JsonPath | undefined;
  /** In the order of the sorted dimension names. */
  readonly dimensions: readonly JsonPath[];
  readonly filter: Filter | undefined;
  /** A count without dimensions does the same for every event: its one effect, made once. */
  readonly constantEffect: Effect | undefined;
}

/** The meters of a namespace as they stand in one catalogue version. */
export interface Catalogue {
  readonly namespace: string;
  readonly version: number;
  readonly byType: ReadonlyMap<string, readonly CompiledMeter[]>;
}

/** Compiles what is in force at `version`: a void recomputes an old event's effects with the version of its row. */
export function compileCatalogue(
  namespace: string,
  version: number,
  meters: readonly MeterVersion[],
): Catalogue {
  const byType = new Map<string, CompiledMeter[]>();
  for (const meter of meters) {
    if (meter.since > version || (meter.until !== null && meter.until <= version)) continue;
    const { eventType } = meter.definition;
    const compiled = byType.get(eventType);
    if (compiled) compiled.push(compileMeter(meter));
    else byType.set(eventType, [compileMeter(meter)]);
  }
  return { namespace, version, byType };
}

export function compileMeter({ key, generation, definition }: MeterVersion): CompiledMeter {
  const { aggregation, value, dimensions = {}, filter } = definition;
  const meter: Mutable<CompiledMeter> = {
    key,
    generation,
    label: `${key}@${generation}`,
    aggregation,
    value: value === undefined ? undefined : compilePath(value),
    dimensions: Object.keys(dimensions)
      .sort()
      .map((name) => compilePath(dimensions[name] ?? '')),
    filter: filter === undefined ? undefined : savedFilter(filter),
    constantEffect: undefined,
  };
  if (value === undefined && meter.dimensions.length === 0)
    meter.constantEffect = { meter, value: 0, distinct: '', group: '' };
  return meter;
}

type Mutable<Value> = { -readonly [Name in keyof Value]: Value[Name] };

/** A saved filter was checked when it was saved; one that does not compile any more would silently stop counting, so it stops the work. */
function savedFilter(expression: string): Filter {
  const compiled = compileFilter(expression);
  if ('fault' in compiled) throw new Error(`a saved filter does not compile: ${compiled.fault}`);
  return compiled.filter;
}
