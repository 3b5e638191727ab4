/** More parameters than any call has use for. */
export const QUERY_PARAMETERS_MAX = 1_000;

export type QueryValue = string | string[] | Record<string, string[]>;

const NESTED = /^([^[\]]+)\[([^[\]]*)\]$/;

/**
 * Reads a query string: `a=1` is text, `a=1&a=2` a list, and `filter[model]=m1` an entry of the object `filter`, whose values are
 * lists. The result has no prototype, so that no name means anything special.
 */
export function parseQueryString(search: string): Record<string, QueryValue> {
  const query = Object.create(null) as Record<string, QueryValue>;
  let count = 0;
  for (const [name, value] of new URLSearchParams(search)) {
    if (++count > QUERY_PARAMETERS_MAX)
      throw new RangeError(`more than ${QUERY_PARAMETERS_MAX} query parameters`);
    const nested = NESTED.exec(name);
    if (nested?.[1] !== undefined && nested[2] !== undefined) addNested(query, nested[1], nested[2], value);
    else add(query, name, value);
  }
  return query;
}

function add(query: Record<string, QueryValue>, name: string, value: string): void {
  const known = query[name];
  if (Array.isArray(known)) known.push(value);
  else query[name] = typeof known === 'string' ? [known, value] : value;
}

function addNested(query: Record<string, QueryValue>, name: string, inner: string, value: string): void {
  const known = query[name];
  const object =
    typeof known === 'object' && !Array.isArray(known)
      ? known
      : (Object.create(null) as Record<string, string[]>);
  (object[inner] ??= []).push(value);
  query[name] = object;
}
