import { Problem } from './problem.ts';
import { invalidRequest } from './read-inputs.ts';
import type { Method, Route } from './route.ts';

export interface FoundRoute {
  readonly route: Route;
  /** The segments that stand for the route's parameters, by name, decoded. */
  readonly parameters: PathParameters;
}

export type PathParameters = Readonly<Record<string, string>>;

/** Finds the route of a request. Throws the problems `not_found`, `method_not_allowed`, and `invalid_request` for a path that cannot be decoded. */
export type FindRoute = (method: string, target: string) => FoundRoute;

/** What can follow a segment of a path. */
interface Branch {
  readonly literal: Map<string, Branch>;
  parameter: Branch | undefined;
  readonly routes: Map<Method, Planted>;
}

interface Planted {
  readonly route: Route;
  readonly parameters: readonly { readonly name: string; readonly at: number }[];
}

const PARAMETER = /^\{(\w+)\}$/;

/**
 * Makes the table of all routes, which costs a request the same however many there are. A literal segment comes before a parameter, as
 * OpenAPI has it; case and a slash at the end count. Throws a RangeError for two routes that could not be told apart.
 */
export function createRouteTable(routes: readonly Route[]): FindRoute {
  const root = newBranch();
  for (const route of routes) plant(root, route);
  return (method, target) => {
    const path = pathOf(target).split('/');
    const wanted = WANTED.get(method);
    const found = wanted && search(root, path, 0, ({ routes }) => routes.get(wanted));
    if (found === undefined) return refuse(root, path);
    const parameters: Record<string, string> = {};
    for (const { name, at } of found.parameters) parameters[name] = decoded(name, path[at] ?? '');
    return { route: found.route, parameters };
  };
}

/** A HEAD is a GET whose answer has no body. */
const WANTED: ReadonlyMap<string, Method> = new Map([
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['PUT', 'put'],
  ['POST', 'post'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);

const newBranch = (): Branch => ({ literal: new Map(), parameter: undefined, routes: new Map() });

function plant(root: Branch, route: Route): void {
  const parameters: { name: string; at: number }[] = [];
  let branch = root;
  for (const [at, segment] of route.path.split('/').entries()) {
    const name = PARAMETER.exec(segment)?.[1];
    if (name !== undefined) parameters.push({ name, at });
    const next: Branch = (name === undefined ? branch.literal.get(segment) : branch.parameter) ?? newBranch();
    if (name === undefined) branch.literal.set(segment, next);
    else branch.parameter = next;
    branch = next;
  }
  if (branch.routes.has(route.method))
    throw new RangeError(`${route.name}: another route takes ${route.method} ${route.path}`);
  branch.routes.set(route.method, { route, parameters });
}

/** The path of a request target, which a proxy may send with the origin in front (RFC 9112, 3.2.2). */
function pathOf(target: string): string {
  const path = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '');
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

/** The first find where the path ends; a literal segment may lead astray, so that both ways are tried. */
function search<Found>(
  branch: Branch,
  path: readonly string[],
  at: number,
  find: (end: Branch) => Found | undefined,
): Found | undefined {
  const segment = path[at];
  if (segment === undefined) return find(branch);
  const literal = branch.literal.get(segment);
  const found = literal && search(literal, path, at + 1, find);
  if (found !== undefined || segment === '' || branch.parameter === undefined) return found;
  return search(branch.parameter, path, at + 1, find);
}

function decoded(name: string, segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    const message = 'must be UTF-8, percent-encoded';
    throw invalidRequest([{ pointer: `path:${name}`, code: 'invalid_encoding', message }]);
  }
}

function refuse(root: Branch, path: readonly string[]): never {
  const allowed = new Set<string>();
  search(root, path, 0, ({ routes }) => routes.forEach((_, method) => allowed.add(method.toUpperCase())));
  if (allowed.size === 0) throw new Problem('not_found', 'there is no such path');
  const methods = [...allowed].join(', ');
  throw new Problem('method_not_allowed', `the path takes ${methods}`, { headers: { Allow: methods } });
}
