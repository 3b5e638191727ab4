import type { AnchorChoice } from '../calendar/anchor.ts';
import type { ChargeOverride, Terms } from './subscription.ts';

/** Null: no longer, so that what the plan says holds. */
export type EntryChanges<Value> = Readonly<Record<string, Value | null>>;

/** What becomes otherwise between terms; what is not named stays. */
export interface TermsDelta {
  readonly plan?: Pick<Terms, 'plan' | 'version' | 'phasesFrom'>;
  readonly anchor?: AnchorChoice;
  readonly quantities?: EntryChanges<string>;
  readonly overrides?: EntryChanges<ChargeOverride>;
  readonly addOns?: EntryChanges<string>;
  readonly paused?: boolean;
}

export const applyDelta = (terms: Terms, delta: TermsDelta): Terms => ({
  ...terms,
  ...delta.plan,
  anchor: delta.anchor ?? terms.anchor,
  quantities: withEntries(terms.quantities, delta.quantities),
  overrides: withEntries(terms.overrides, delta.overrides),
  addOns: withEntries(terms.addOns, delta.addOns),
  paused: delta.paused ?? terms.paused,
});

/** By name in a fixed order, so that the same terms are the same text. */
function withEntries<Value>(
  before: Readonly<Record<string, Value>>,
  changes: EntryChanges<Value> = {},
): Readonly<Record<string, Value>> {
  const after = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) after.delete(name);
    else after.set(name, value);
  }
  return Object.fromEntries([...after].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `applyDelta(before, deltaBetween(before, after))` says what `after` says. */
export function deltaBetween(before: Terms, after: Terms): TermsDelta {
  const { plan, version, phasesFrom } = after;
  const samePlan = before.plan === plan && before.version === version && before.phasesFrom === phasesFrom;
  return {
    ...(samePlan ? {} : { plan: { plan, version, phasesFrom } }),
    ...(isSame(before.anchor, after.anchor) ? {} : { anchor: after.anchor }),
    ...(before.paused === after.paused ? {} : { paused: after.paused }),
    quantities: changedEntries(before.quantities, after.quantities),
    overrides: changedEntries(before.overrides, after.overrides),
    addOns: changedEntries(before.addOns, after.addOns),
  };
}

/** The entries that differ, with what they are after; null for those that are gone. */
export function changedEntries<Value>(
  before: Readonly<Record<string, Value>>,
  after: Readonly<Record<string, Value>>,
): EntryChanges<Value> {
  const [old, young] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  const changed = [...young].filter(([name, value]) => !isSame(old.get(name), value));
  const gone = [...old.keys()].filter((name) => !young.has(name));
  return Object.fromEntries([...changed, ...gone.map((name) => [name, null] as const)]);
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const isNothing = ({ quantities = {}, overrides = {}, addOns = {}, ...rest }: TermsDelta): boolean =>
  Object.keys(rest).length === 0 &&
  [quantities, overrides, addOns].every((changes) => Object.keys(changes).length === 0);

/** Whether terms say the same, from whenever on. */
export const sayTheSame = (one: Terms, other: Terms): boolean => isNothing(deltaBetween(one, other));
