import { anchorOf } from '../calendar/anchor.ts';
import { parseDuration } from '../calendar/duration.ts';
import type { PeriodRule } from '../calendar/period.ts';
import { timeZone } from '../calendar/time-zone.ts';
import type { TimeWindow } from '../calendar/window.ts';
import { Decimal } from '../money/decimal.ts';
import { boundsIn, cadenceOf, familyOf } from '../plans/plan-parts.ts';
import { ONCE, type PlanBound, type PlanMinimum } from '../plans/plan-version.ts';
import { chargesIn, type ChargeInForce } from './charges-in-force.ts';
import type { Stretch } from './stretch.ts';
import type { Subscription } from './subscription.ts';

/** What is there in a stretch of a run. */
export interface RunPart<Content> {
  readonly stretch: Stretch;
  readonly content: Content;
}

/**
 * A time in which one thing is due over and over by the same rule, without a gap. Its periods are counted from the anchor, and cut where the
 * run begins and ends.
 */
export interface Run<Content> extends TimeWindow {
  /** What it is that is due: one key has one run at a time. */
  readonly key: string;
  /** Null: it is due once. */
  readonly rule: PeriodRule | null;
  readonly parts: readonly [RunPart<Content>, ...RunPart<Content>[]];
}

export interface BoundInForce {
  readonly kind: 'minimum' | 'maximum';
  readonly amount: string;
  readonly overageFactor: PlanMinimum['overageFactor'];
}

/**
 * The runs of all charges. A charge goes on in the next stretch where there is one of its key, in a plan of the same family, that measures
 * the same and is due as often, at the same end of the same periods. Paused time is a part of a run.
 */
export const chargeRuns = (subscription: Subscription, stretches: readonly Stretch[]): Run<ChargeInForce>[] =>
  runsOf(subscription, stretches, (stretch) =>
    chargesIn(stretch, subscription.currency).map((content) => {
      const { key, meter, timing } = content.charge;
      const cadence = cadenceOf(content.charge);
      return { key, cadence, sameness: [content.kind, meter ?? null, timing ?? 'inArrears'], content };
    }),
  );

/** The runs of what a plan bounds: another amount is another bound, and a pause ends it, since nothing is promised for paused time. */
export const boundRuns = (subscription: Subscription, stretches: readonly Stretch[]): Run<BoundInForce>[] =>
  runsOf(subscription, stretches, ({ terms, version, phase }) => {
    if (terms.paused) return [];
    const { minimum, maximum } = boundsIn(version, phase);
    const factor = minimum?.overageFactor ?? null;
    return [
      ...boundThing('minimum', minimum, subscription.currency, factor),
      ...boundThing('maximum', maximum, subscription.currency, null),
    ];
  });

function boundThing(
  kind: BoundInForce['kind'],
  bound: PlanBound | null,
  currency: string,
  overageFactor: string | null,
): Thing<BoundInForce>[] {
  const amount = bound?.amount[currency];
  if (bound === null || amount === undefined) return [];
  // Nothing at least is no promise; nothing at most is one.
  if (kind === 'minimum' && overageFactor === null && new Decimal(amount).isZero()) return [];
  const content = { kind, amount, overageFactor };
  return [{ key: BOUND_KEYS[kind], cadence: cadenceOf(bound), sameness: [amount, overageFactor], content }];
}

/** No charge has such a key: those have no capitals. */
const BOUND_KEYS = { minimum: 'planMinimum', maximum: 'planMaximum' } as const;

/** One thing that is due in a stretch. It goes on in the next one as long as all of `sameness`, cadence, anchor and family stay. */
interface Thing<Content> {
  readonly key: string;
  readonly cadence: string;
  readonly sameness: readonly (string | null)[];
  readonly content: Content;
}

interface OpenRun<Content> {
  readonly key: string;
  readonly sameness: string;
  readonly rule: PeriodRule | null;
  readonly parts: [RunPart<Content>, ...RunPart<Content>[]];
}

function runsOf<Content>(
  subscription: Subscription,
  stretches: readonly Stretch[],
  thingsIn: (stretch: Stretch) => readonly Thing<Content>[],
): Run<Content>[] {
  const runs: OpenRun<Content>[] = [];
  let open = new Map<string, OpenRun<Content>>();
  for (const stretch of stretches) {
    const going = new Map<string, OpenRun<Content>>();
    for (const { key, cadence, sameness, content } of thingsIn(stretch)) {
      const rule = ruleOf(subscription, stretch, cadence);
      const same = JSON.stringify([familyOf(stretch.version), cadence, rule?.anchor ?? null, ...sameness]);
      const before = open.get(key);
      const part = { stretch, content };
      const run =
        before?.sameness === same ? before : { key, sameness: same, rule, parts: [part] as [typeof part] };
      if (run === before) before.parts.push(part);
      else runs.push(run);
      going.set(key, run);
    }
    open = going;
  }
  return runs.map(({ key, rule, parts }) => ({
    key,
    rule,
    parts,
    from: parts[0].stretch.from,
    to: (parts.at(-1) ?? parts[0]).stretch.to,
  }));
}

function ruleOf({ timezone, startAt }: Subscription, { terms }: Stretch, cadence: string): PeriodRule | null {
  if (cadence === ONCE) return null;
  const every = parseDuration(cadence);
  if (every === undefined) throw new Error(`not a cadence of a checked plan version: ${cadence}`);
  const zone = timeZone(timezone);
  return { every, zone, anchor: anchorOf(terms.anchor, zone, startAt) };
}
