import type { Instant } from '../instant.ts';
import type { Subscription, Terms } from './subscription.ts';
import { applyDelta, deltaBetween, sayTheSame, type TermsDelta } from './terms-delta.ts';

export type Timeline = Subscription['terms'];

/** The terms that are in force at a moment; the first ones before the start. */
export const termsAt = (timeline: Timeline, at: Instant): Terms =>
  timeline.findLast(({ from }) => from <= at) ?? timeline[0];

/**
 * A timeline in which something is otherwise from a moment on, at or after its start. What was planned for later stays planned: it is done to
 * what is there then. Worked: 5 seats, 10 from June on; 7 from May on, and a price, is 7 from May and 10 from June, at that price.
 */
export function changeFrom(timeline: Timeline, at: Instant, delta: TermsDelta): Timeline {
  const index = Math.max(
    0,
    timeline.findLastIndex(({ from }) => from <= at),
  );
  const current = timeline[index] ?? timeline[0];
  const changed = applyDelta({ ...current, from: at }, delta);
  const before = timeline.slice(0, current.from < at ? index + 1 : index);
  return mergeTerms([...before, changed, ...rebased(current, timeline.slice(index + 1), changed)]);
}

/** A timeline without what was to change at a moment; undefined when no terms begin there, or the first ones do. */
export function withoutChangeAt(timeline: Timeline, at: Instant): Timeline | undefined {
  const index = timeline.findIndex(({ from }) => from === at);
  const [dropped, before] = [timeline[index], timeline[index - 1]];
  if (dropped === undefined || before === undefined) return undefined;
  return mergeTerms([...timeline.slice(0, index), ...rebased(dropped, timeline.slice(index + 1), before)]);
}

/** Later terms on other terms before them: what each of them changed, it changes still. */
function rebased(base: Terms, later: readonly Terms[], newBase: Terms): Terms[] {
  let [old, young] = [base, newBase];
  return later.map((terms) => {
    young = applyDelta({ ...young, from: terms.from }, deltaBetween(old, terms));
    old = terms;
    return young;
  });
}

/** Terms that say what those before them say begin nothing: equal neighbours are one. */
export function mergeTerms(terms: readonly Terms[]): Timeline {
  const [first, ...rest] = terms.filter(
    (each, index) => index === 0 || !sayTheSame(terms[index - 1] ?? each, each),
  );
  if (first === undefined) throw new Error('a timeline has terms');
  return [first, ...rest];
}
