import { fromScaled, toDecimalString } from '#domain/metering/quantity.ts';
import type { MeterDefinition } from '#domain/metering/meter.ts';
import { textOf, type DataSet, type Fact, type Planned } from './data-set.ts';

/** What the pipeline must arrive at, counted from the facts by other, simpler means. */
export interface Expected {
  /** What was taken, over HTTP or by the topic: everything but what the API rejects. */
  readonly sent: number;
  /** The part of it that goes over HTTP. */
  readonly sentOverHttp: number;
  readonly distinct: number;
  readonly conflicts: number;
  /** By reason: what the pipeline refuses. */
  readonly deadLetters: Counts;
  /** By reason: what the API refuses at once, so that it never gets to a topic. */
  readonly rejected: Counts;
  /** Meter and subject -> value. */
  readonly usage: readonly { readonly meter: string; readonly subject: string; readonly value: string }[];
}

export type Counts = Readonly<Record<string, number>>;

export const sumOf = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

const nameOf = ({ source, id }: Fact): string => `${source}\n${id}`;

export const isSameIdentity = (a: Fact, b: Fact): boolean => nameOf(a) === nameOf(b);

/** Identities that were sent with more than one content: which one counted is up to the first commit. */
export function contendersOf(planned: readonly Planned[]): ReadonlyMap<string, readonly Fact[]> {
  const first = new Map<string, Fact>();
  const others = new Map<string, Map<string, Fact>>();
  for (const { fact, text } of planned) {
    if (fact === undefined) continue;
    const name = nameOf(fact);
    const known = first.get(name);
    if (known === undefined) first.set(name, fact);
    else if (known !== fact && text !== textOf(known))
      others.set(name, (others.get(name) ?? new Map<string, Fact>()).set(text, fact));
  }
  const withFirst = ([name, contents]: [string, ReadonlyMap<string, Fact>]): [string, Fact[]] => {
    const known = first.get(name);
    return [name, [...(known ? [known] : []), ...contents.values()]];
  };
  return new Map([...others].map(withFirst));
}

/** Every identity once; `winners` says which content of a contended identity was committed first. */
export function countedFacts(planned: readonly Planned[], winners: ReadonlyMap<string, Fact>): Fact[] {
  const counted = new Map<string, Fact>();
  for (const { fact } of planned) if (fact) counted.set(nameOf(fact), winners.get(nameOf(fact)) ?? fact);
  return [...counted.values()];
}

export function countIndependently({ planned, catalogue }: DataSet, facts: readonly Fact[]): Expected {
  const conflicts = [...contendersOf(planned).values()].reduce(
    (sum, contents) => sum + contents.length - 1,
    0,
  );
  const rejected = planned.filter((message) => isRejected(message));
  return {
    sent: planned.length - rejected.length,
    sentOverHttp: planned.filter(({ way }) => way === 'http').length - rejected.length,
    distinct: facts.length,
    conflicts,
    deadLetters: countReasons(planned.filter((message) => !isRejected(message))),
    rejected: countReasons(rejected),
    usage: Object.entries(catalogue.meters).flatMap(([meter, definition]) =>
      usageOf(meter, definition, facts),
    ),
  };
}

/** What can never count is refused where it comes first: over HTTP by the API itself. */
export const isRejected = ({ way, fact }: Planned): boolean => fact === undefined && way === 'http';

function countReasons(planned: readonly Planned[]): Counts {
  const counts: Record<string, number> = {};
  for (const message of planned)
    if (message.fact === undefined) counts[message.reason] = (counts[message.reason] ?? 0) + 1;
  return counts;
}

function usageOf(meter: string, definition: MeterDefinition, facts: readonly Fact[]): Expected['usage'] {
  const bySubject = Map.groupBy(
    facts.filter((fact) => fact.type === definition.eventType),
    ({ subject }) => subject,
  );
  return [...bySubject]
    .map(([subject, own]) => ({ meter, subject, value: measure(definition, own) }))
    .sort((a, b) => (a.subject < b.subject ? -1 : 1));
}

/** The filters of the demo's catalogue, said again in plain code. */
const FILTERS: Readonly<Record<string, (fact: Fact) => boolean>> = {
  "data.tier != 'free'": ({ data }) => data['tier'] !== 'free',
};

function passes({ eventType, filter }: MeterDefinition): (fact: Fact) => boolean {
  if (filter === undefined) return ({ type }) => type === eventType;
  const condition = FILTERS[filter];
  if (condition === undefined) throw new Error(`the demo cannot count the filter ${filter} by itself`);
  return (fact) => fact.type === eventType && condition(fact);
}

/** The events that a meter counts. */
export const countedBy = (definition: MeterDefinition, facts: readonly Fact[]): Fact[] =>
  facts.filter(passes(definition));

/** What a meter says of these events, a plain decimal. */
export function measure(definition: MeterDefinition, all: readonly Fact[]): string {
  const { aggregation, value = '' } = definition;
  const facts = countedBy(definition, all);
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
