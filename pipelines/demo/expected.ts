import { fromScaled, toDecimalString } from '#domain/metering/quantity.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import type { DataSet, Fact, Planned } from './data-set.ts';

/** What the pipeline must arrive at, counted from the facts by other, simpler means. */
export interface Expected {
  readonly sent: number;
  readonly distinct: number;
  readonly conflicts: number;
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Meter and subject -> value. */
  readonly usage: readonly { readonly meter: string; readonly subject: string; readonly value: string }[];
}

const identityOf = ({ source, id }: Fact): string => `${source}\n${id}`;

/** Identities that were sent with more than one content: which one counted is up to the first commit. */
export function contendersOf(planned: readonly Planned[]): ReadonlyMap<string, readonly Fact[]> {
  const contents = new Map<string, Map<string, Fact>>();
  for (const { fact, text } of planned) {
    if (fact === undefined) continue;
    const name = identityOf(fact);
    const known = contents.get(name) ?? new Map<string, Fact>();
    contents.set(name, known.set(text, fact));
  }
  return new Map(
    [...contents].filter(([, facts]) => facts.size > 1).map(([name, facts]) => [name, [...facts.values()]]),
  );
}

/** Counts every identity once; `winners` says which content of a contended identity was committed first. */
export function countIndependently(
  { planned, meters }: DataSet,
  winners: ReadonlyMap<string, Fact>,
): Expected {
  const counted = new Map<string, Fact>();
  const deadLetters: Record<string, number> = {};
  for (const message of planned) {
    if (message.fact)
      counted.set(identityOf(message.fact), winners.get(identityOf(message.fact)) ?? message.fact);
    else deadLetters[message.reason] = (deadLetters[message.reason] ?? 0) + 1;
  }
  const facts = [...counted.values()];
  const conflicts = [...contendersOf(planned).values()].reduce(
    (sum, contents) => sum + contents.length - 1,
    0,
  );
  const usage = [...meters].flatMap(([meter, definition]) => usageOf(meter, definition, facts));
  return { sent: planned.length, distinct: counted.size, conflicts, deadLetters, usage };
}

function usageOf(meter: string, definition: MeterDefinition, facts: readonly Fact[]): Expected['usage'] {
  const bySubject = Map.groupBy(
    facts.filter((fact) => fact.type === definition.eventType),
    ({ subject }) => subject,
  );
  return [...bySubject]
    .map(([subject, own]) => ({ meter, subject, value: measure(definition, own.filter(passes(definition))) }))
    .sort((a, b) => (a.subject < b.subject ? -1 : 1));
}

/** The filters of the demo's catalogue, said again in plain code. */
const FILTERS: Readonly<Record<string, (fact: Fact) => boolean>> = {
  "data.tier != 'free'": ({ data }) => data['tier'] !== 'free',
};

function passes({ filter }: MeterDefinition): (fact: Fact) => boolean {
  if (filter === undefined) return () => true;
  const condition = FILTERS[filter];
  if (condition === undefined) throw new Error(`the demo cannot count the filter ${filter} by itself`);
  return condition;
}

function measure({ aggregation, value = '' }: MeterDefinition, facts: readonly Fact[]): string {
  const values = facts.map(({ data }) => data[value] ?? '');
  switch (aggregation) {
    case 'count':
      return String(facts.length);
    case 'unique':
      return String(new Set(values).size);
    case 'max':
      return String(Math.max(...values.map(Number)));
    case 'sum':
      return toDecimalString(fromScaled(values.reduce((sum: bigint, each) => sum + scaled(each), 0n)));
    case 'min':
    case 'average':
    case 'latest':
    case 'timeWeightedSum':
      throw new Error(`the demo does not count ${aggregation} by itself`);
  }
}

const SCALE_DIGITS = 18;

/** `12.5` -> 12500000000000000000n. */
function scaled(value: string | number): bigint {
  const [whole = '0', fraction = ''] = String(value).split('.');
  return BigInt(whole + fraction.padEnd(SCALE_DIGITS, '0'));
}
