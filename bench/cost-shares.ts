import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector';

/** Samples go to the first of these that any of their frames is of: by function and the place of its file. */
export type CostRules = readonly (readonly [name: string, frames: RegExp])[];

/** What no rule knows: the start of the process, and the runtime itself. */
const OTHER = 'other';
const COLLECTING = 'garbage collection';
const SAMPLE_MICROS = 500;

/** Runs work under the profiler of this process. Answers what part of its time on the main thread went where, from 0 to 1; waiting is left out. */
export async function costShares(rules: CostRules, work: () => Promise<void>): Promise<Map<string, number>> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS });
    await session.post('Profiler.start');
    await work();
    const { profile } = await session.post('Profiler.stop');
    return sharesOf(profile, rules);
  } finally {
    session.disconnect();
  }
}

function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, rules: CostRules) {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frames = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => [id, `${functionName} ${url}`]),
  );
  const kinds = new Map(nodes.map(({ id }) => [id, kindOf(stackOf(id, parents, frames), rules)]));
  const micros = new Map<string, number>();
  let all = 0;
  for (const [place, sample] of samples.entries()) {
    const kind = kinds.get(sample) ?? OTHER;
    const delta = timeDeltas[place] ?? 0;
    if (kind === WAITING) continue;
    micros.set(kind, (micros.get(kind) ?? 0) + delta);
    all += delta;
  }
  return new Map([...micros].map(([kind, spent]) => [kind, spent / all]));
}

const WAITING = '(idle)';

function stackOf(
  leaf: number,
  parents: ReadonlyMap<number, number>,
  frames: ReadonlyMap<number, string>,
): string[] {
  const stack: string[] = [];
  for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id))
    stack.push(frames.get(id) ?? '');
  return stack;
}

function kindOf(stack: readonly string[], rules: CostRules): string {
  if (stack[0]?.startsWith(WAITING)) return WAITING;
  if (stack[0]?.startsWith('(garbage collector)')) return COLLECTING;
  return rules.find(([, of]) => stack.some((frame) => of.test(frame)))?.[0] ?? OTHER;
}
