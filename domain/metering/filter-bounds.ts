import type { Environment } from '@marcbachmann/cel-js';

/** The syntax tree of a CEL expression. */
export type FilterNode = ReturnType<Environment['parse']>['ast'];

/** Macros that run their second argument once for every item of a list. */
const LOOPS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one']);

/**
 * What a filter may call: only what takes time in proportion to its operands and gives nothing longer than them. So there is no
 * `matches` (a pattern may backtrack for hours), no `map`, `split` or `join`, which build lists and texts to loop over, and no `bind`.
 */
const FUNCTIONS: ReadonlySet<string> = new Set([
  ...LOOPS,
  ...['has', 'size', 'type', 'dyn', 'bool', 'int', 'uint', 'double', 'string', 'timestamp', 'duration'],
  ...[
    'startsWith',
    'endsWith',
    'contains',
    'indexOf',
    'lastIndexOf',
    'substring',
    'lowerAscii',
    'upperAscii',
    'trim',
  ],
]);

/** A filter with a loop is not evaluated over data that has a longer list or object. */
export const LOOP_ITEMS_MAX = 1_000;

/** What bounds the work of a filter: one fault, or whether it loops. */
export function examineFilter(root: FilterNode): { readonly fault: string } | { readonly loops: boolean } {
  let loops = false;
  const faultIn = (node: FilterNode, inLoop: boolean): string | undefined => {
    const name = calledBy(node);
    const isLoop = name !== undefined && LOOPS.has(name);
    if (name !== undefined && !FUNCTIONS.has(name)) return `${name}() is not available in a filter`;
    if (isLoop && inLoop) return `${name}() may not stand inside another loop`;
    loops ||= isLoop;
    for (const child of childrenOf(node)) {
      const fault = faultIn(child, inLoop || isLoop);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
  const fault = faultIn(root, false);
  return fault === undefined ? { loops } : { fault };
}

const calledBy = (node: FilterNode): string | undefined =>
  node.op === 'call' || node.op === 'rcall' ? node.args[0] : undefined;

/** Operands stand in `args` as nodes, in lists, and in lists of lists (the entries of a map). */
function childrenOf({ args }: FilterNode): FilterNode[] {
  const operands = [args].flat(3) as unknown[];
  return operands.filter(
    (operand): operand is FilterNode => typeof operand === 'object' && operand !== null && 'op' in operand,
  );
}

/** Whether some list or object in `value` has more items than a loop may run over. `value` is no deeper than `data` may be. */
export function holdsLongList(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const items: unknown[] = value instanceof Map ? [...value.values()] : Object.values(value);
  return items.length > LOOP_ITEMS_MAX || items.some(holdsLongList);
}
