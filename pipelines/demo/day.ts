import { readCatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import type { DemoScale } from './backing.ts';
import { lastBillableMidnight, monthUntil } from './billing-month.ts';
import { readChargesFile } from './charges-file.ts';
import { plannedEvent, textOf, type DataSet, type Fact, type Planned, type Way } from './data-set.ts';
import { seededDraw, type Draw } from './draw.ts';
import { readSellerFile } from './seller-file.ts';

const DAY_MS = 86_400_000;
const JITTER_MS = 300_000;
/** One event in so many is sent a second time, byte by byte. */
const DUPLICATE_EVERY = 25;
const CONFLICTS = 40;
/** Three days late: far beyond the declared lateness, well within the horizon. */
const LATE_MS = 3 * DAY_MS;

/** Customers and their share of the traffic. */
const SUBJECTS = [
  'acme',
  'globex',
  'initech',
  'umbrella',
  'hooli',
  'wayne-labs',
  'stark',
  'zürich/7',
] as const;
const MODELS = ['swift-1', 'swift-2', 'deep-1', ''] as const;
const REGIONS = ['eu', 'us', 'asia'] as const;
const TIERS = ['free', 'pro', 'pro', 'enterprise'] as const;
/** The largest customer's users; each of the others has fewer than the one before it. */
const USERS_MAX = 480;

/** A day of a language-model service, the last one that can be billed by now: busy by day, quiet by night, with all that goes wrong in practice. */
export async function dayOfUsage(
  now: number,
  seed: number,
  { events: count, lateEvents: late }: Pick<DemoScale, 'events' | 'lateEvents'>,
): Promise<DataSet> {
  const draw = seededDraw(seed);
  const catalogue = await readCatalogueFile(new URL('catalogue.json', import.meta.url));
  const end = lastBillableMidnight(now);
  const facts = Array.from({ length: count }, (_, index) =>
    requestAt(draw, timeOf(draw, end, index / count), index),
  );
  const events = [...withRepetitions(draw, facts), ...lateEvents(draw, end, late)];
  return {
    title: `a day of usage, ${new Date(end - DAY_MS).toISOString().slice(0, 10)} (UTC)`,
    catalogue,
    charges: await readChargesFile(new URL('charges.json', import.meta.url)),
    seller: await readSellerFile(new URL('seller.json', import.meta.url)),
    month: monthUntil(end),
    storyLimit: { customer: 'stark', feature: 'tokens' },
    planned: [...events.map(plannedEvent), ...refusedMessages(now)],
    from: new Date(end - DAY_MS - LATE_MS).toISOString(),
    to: new Date(end).toISOString(),
  };
}

/** Rising through the day with some disorder, denser in the middle of it. */
function timeOf(draw: Draw, end: number, share: number): Date {
  const busy = share - Math.sin(2 * Math.PI * share) / (2 * Math.PI) / 2;
  return new Date(Math.max(end - DAY_MS, Math.round(end - DAY_MS + busy * DAY_MS - draw.below(JITTER_MS))));
}

function requestAt(draw: Draw, time: Date, index: number): Fact {
  const rank = Math.floor(draw.next() ** 2 * SUBJECTS.length);
  const subject = SUBJECTS[rank] ?? 'acme';
  const model = draw.pick(MODELS);
  return {
    source: `urn:svc:chat-${index % 3}`,
    id: draw.id(),
    type: 'llm.request',
    subject,
    time: time.toISOString(),
    data: {
      tokens: 1 + draw.below(4_000),
      seconds: `${draw.below(30)}.${String(draw.below(1_000)).padStart(3, '0')}`,
      latencyMs: 20 + Math.floor(2_000 / (1 + draw.below(1_000))) + draw.below(40 * (rank + 2)),
      user: `user-${draw.below(Math.ceil(USERS_MAX / (rank + 1)))}`,
      ...(model === '' ? {} : { model }),
      region: draw.pick(REGIONS),
      tier: draw.pick(TIERS),
    },
  };
}

/** Sends some events twice, and some identities again with another content: a retry that changed its mind. */
function withRepetitions(draw: Draw, facts: readonly Fact[]): Fact[] {
  const conflictEvery = Math.floor(facts.length / CONFLICTS);
  return facts.flatMap((fact, index) => {
    const copies = [fact];
    if (index % DUPLICATE_EVERY === 0) copies.push(fact);
    if (index % conflictEvery === conflictEvery - 1)
      copies.push({ ...fact, data: { ...fact.data, tokens: draw.below(100) } });
    return copies;
  });
}

const lateEvents = (draw: Draw, end: number, count: number): Fact[] =>
  Array.from({ length: count }, (_, index) =>
    requestAt(draw, new Date(end - LATE_MS - draw.below(DAY_MS)), index),
  );

type Refused = Pick<Extract<Planned, { readonly reason: string }>, 'text' | 'reason'>;

/**
 * One or more of each kind of message that can never count, to the topic. Those that no meter has to be known for go over HTTP as well,
 * where they are refused at once; the others are refused at once only while the API knows the meters, which is not for us to foretell.
 */
function refusedMessages(now: number): Planned[] {
  const time = new Date(now).toISOString();
  const data = { tokens: 1, seconds: '1', latencyMs: 1, user: 'user-1', tier: 'pro' };
  const good: Fact = { source: 'urn:svc:broken', id: 'b', type: 'llm.request', subject: 'acme', time, data };
  const planned =
    (way: Way) =>
    (refused: Refused): Planned => ({ way, ...refused });
  const byParser = refusedByParser(good, now);
  return [...[...byParser, ...refusedByMeters(good)].map(planned('topic')), ...byParser.map(planned('http'))];
}

function refusedByParser(good: Fact, now: number): Refused[] {
  const deep = `${'{"a":'.repeat(9)}1${'}'.repeat(9)}`;
  return [
    { text: textOf(good).slice(0, -7), reason: 'malformed_json' },
    { text: '{"tokens":', reason: 'malformed_json' },
    { text: '[1,2,3]', reason: 'not_an_event' },
    { text: textOf({ ...good, id: 'b1' }).replace('"subject":"acme",', ''), reason: 'attribute_missing' },
    { text: textOf({ ...good, id: 'b2', time: 'yesterday' }), reason: 'attribute_invalid' },
    { text: textOf({ ...good, id: 'x'.repeat(257) }), reason: 'too_large' },
    {
      text: textOf({ ...good, id: 'b3' }).replace('"tokens":1', `"tokens":1,"deep":${deep}`),
      reason: 'too_deep',
    },
    {
      text: textOf({ ...good, id: 'b7', time: new Date(now - 46 * DAY_MS).toISOString() }),
      reason: 'too_old',
    },
    {
      text: textOf({ ...good, id: 'b8', time: new Date(now + 365 * DAY_MS).toISOString() }),
      reason: 'in_the_future',
    },
  ];
}

function refusedByMeters(good: Fact): Refused[] {
  const { tokens: _, ...withoutTokens } = good.data;
  const withTokens = (id: string, tokens: string): string =>
    textOf({ ...good, id, data: { ...good.data, tokens } });
  return [
    { text: textOf({ ...good, id: 'b4', data: withoutTokens }), reason: 'value_missing' },
    { text: withTokens('b5', 'many'), reason: 'value_not_a_number' },
    { text: withTokens('b6', '0.1234567890123456789'), reason: 'value_out_of_range' },
  ];
}
