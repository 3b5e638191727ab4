import { Environment } from '@marcbachmann/cel-js';
import { FILTER_BYTES_MAX } from '../limits.ts';
import type { UsageEvent } from './event.ts';
import { examineFilter, holdsLongList } from './filter-bounds.ts';

/** 'error' is an evaluation error or a missing field: no match, but counted, since it may be a mistake. */
export type FilterOutcome = boolean | 'error';
export type Filter = (event: Pick<UsageEvent, 'source' | 'subject' | 'id' | 'data'>) => FilterOutcome;

const FILTER_NODES_MAX = 200;
const FILTER_DEPTH_MAX = 20;

/**
 * What a filter may name (the type is fixed by the meter, and `type` is a function of CEL). CEL selects, it never measures: `data` is given to it as ordinary JSON, numbers as doubles.
 */
const environment = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: FILTER_NODES_MAX, maxDepth: FILTER_DEPTH_MAX },
})
  .registerVariable('data', 'dyn')
  .registerVariable('source', 'string')
  .registerVariable('subject', 'string')
  .registerVariable('id', 'string');

/** Compiles a CEL expression, or says what is wrong with it. Checked when a meter is saved, never while events flow. */
export function compileFilter(expression: string): { filter: Filter } | { fault: string } {
  if (Buffer.byteLength(expression, 'utf8') > FILTER_BYTES_MAX)
    return { fault: `has more than ${FILTER_BYTES_MAX} bytes` };
  try {
    const parsed = environment.parse(expression);
    const examined = examineFilter(parsed.ast);
    if ('fault' in examined) return examined;
    const checked = parsed.check();
    if (!checked.valid) return { fault: checked.error?.message ?? 'does not type-check' };
    if (checked.type !== 'bool' && checked.type !== 'dyn')
      return { fault: `must give a bool, not ${String(checked.type)}` };
    return { filter: (event) => evaluate(parsed, examined.loops, event) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

type Evaluate = (context: Record<string, unknown>) => unknown;

function evaluate(parsed: Evaluate, loops: boolean, event: Parameters<Filter>[0]): FilterOutcome {
  const { source, subject, id } = event;
  try {
    const data = dataOf(event.data);
    if (loops && holdsLongList(data)) return 'error';
    const outcome = parsed({ data, source, subject, id });
    return typeof outcome === 'boolean' ? outcome : 'error';
  } catch {
    return 'error';
  }
}

/** The library tells objects by their constructor: one that has a member of that name is given to it as a map. */
function dataOf(text: string): unknown {
  if (!text.includes('"constructor":')) return JSON.parse(text) as unknown;
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, 'constructor')
      ? new Map(Object.entries(value))
      : value,
  );
}
