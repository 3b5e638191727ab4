import type { ApiClient } from './api-client.ts';
import { isSameIdentity, measure, contendersOf } from './expected.ts';
import type { DataSet, Fact, Planned, StoryLimit } from './data-set.ts';
import { checkEntitlement } from './entitlement.ts';

/** What is used and held of a limit, and what is left: whole units, which is what the features of the story are counted in. */
export interface Balance {
  readonly used: string;
  readonly reserved: string;
  readonly remaining: string;
}

/** One thing that was done, what must be left after it, and what the API says. */
export interface StoryStep {
  readonly what: string;
  readonly expected: Balance;
  readonly found: Balance;
}

export interface ReservationStory extends StoryLimit {
  readonly limitKey: string;
  readonly limit: string;
  /** The units of each reservation. */
  readonly piece: string;
  readonly refused: Refused;
  readonly steps: readonly StoryStep[];
  readonly before: Balance;
  readonly after: Balance;
  /** Every balance is as expected, and none is beyond the limit. */
  readonly ok: boolean;
}

/** What the reservation that found no room was told. */
export interface Refused {
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  readonly remaining: string;
  readonly resetsAt: string;
}

/** The event of the story, kept out of the flow of all others: its reservation comes first. */
export interface StoryEvent {
  readonly fact: Fact;
  /** What it really uses. */
  readonly actual: string;
  /** The messages that hold it: one, or more where it is sent again. */
  readonly copies: readonly Planned[];
}

/** Takes the event of the story out: the last of the customer's that goes over HTTP, says the same in all copies, and uses something. */
export function keepStoryEvent(dataSet: DataSet): { flow: readonly Planned[]; storyEvent: StoryEvent } {
  const { catalogue, storyLimit, planned } = dataSet;
  const definition = catalogue.meters[catalogue.features[storyLimit.feature]?.meter ?? ''];
  const subjects = catalogue.customers[storyLimit.customer]?.subjects ?? [];
  if (definition === undefined) throw new Error(`the catalogue has no meter for ${storyLimit.feature}`);
  const contended = [...contendersOf(planned).values()].flat();
  const chosen = planned.findLast(
    ({ way, fact }) =>
      fact !== undefined &&
      way === 'http' &&
      subjects.includes(fact.subject) &&
      Number(measure(definition, [fact])) > 0 &&
      !contended.some((other) => isSameIdentity(other, fact)),
  );
  if (chosen?.fact === undefined) throw new Error(`${storyLimit.customer} has no event to tell of`);
  const { fact } = chosen;
  const isCopy = (message: Planned): boolean =>
    message.fact !== undefined && isSameIdentity(message.fact, fact);
  return {
    flow: planned.filter((message) => !isCopy(message)),
    storyEvent: { fact, actual: measure(definition, [fact]), copies: planned.filter(isCopy) },
  };
}

/** What is left is reserved in so many pieces or some more, so that a limit is full after a few. */
const PIECES_MIN = 4n;
const PIECES_MAX = 10;
/** Far longer than the story takes. */
const TTL_SECONDS = 600;

/** A round amount of which what remains holds at least four. */
export function pieceOf(remaining: bigint): bigint {
  const share = remaining / PIECES_MIN;
  const magnitude = 10n ** BigInt(share.toString().length - 1);
  return (share / magnitude) * magnitude;
}

export interface Stage extends StoryLimit {
  readonly client: ApiClient;
  readonly storyEvent: StoryEvent;
  /** Sends messages the ways they go; resolves when the pipeline has done with them. */
  readonly send: (messages: readonly Planned[]) => Promise<void>;
}

/** Reserves until the limit refuses, settles one reservation and lets its event come, and releases the others. */
export async function tellReservations(stage: Stage): Promise<ReservationStory> {
  const { client, customer, feature, storyEvent } = stage;
  const { limitKey, limit, ...first } = await checkEntitlement(client, stage);
  const before = balanceOf(first);
  const piece = pieceOf(BigInt(before.remaining));
  if (piece === 0n)
    throw new Error(`the limit of ${customer} on ${feature} leaves too little for the story: raise it`);
  const { granted, refused } = await reserveAll(stage, String(piece));
  const [settled = '', ...others] = granted;
  const [used, actual] = [BigInt(before.used), BigInt(storyEvent.actual)];
  const held = BigInt(before.reserved) + piece * BigInt(others.length);
  const steps: StoryStep[] = [];
  const step = async (what: string, nowUsed: bigint, nowHeld: bigint): Promise<void> => {
    const expected = balanceOfUnits(BigInt(limit), nowUsed, nowHeld);
    steps.push({ what, expected, found: balanceOf(await checkEntitlement(client, stage)) });
  };
  await step(`${granted.length} reservations of ${units(piece)}`, used, held + piece);
  await client.send({
    method: 'POST',
    path: `/v1/reservations/${settled}/settle`,
    body: { actual: storyEvent.actual },
  });
  await step(`one settled: ${units(actual)} really used`, used, held + actual);
  await stage.send(storyEvent.copies);
  await step('its event counted', used + actual, held);
  for (const id of others)
    await client.send({ method: 'POST', path: `/v1/reservations/${id}/release`, body: {} });
  await step('the others released', used + actual, BigInt(before.reserved));
  const after = steps.at(-1)?.found ?? before;
  const ok = steps.every((each) => isWithin(each, BigInt(limit)));
  return { customer, feature, limitKey, limit, piece: String(piece), refused, steps, before, after, ok };
}

const units = (value: bigint): string => value.toLocaleString('en-US');

const balanceOf = ({ used, reserved, remaining }: Balance): Balance => ({ used, reserved, remaining });

const balanceOfUnits = (limit: bigint, used: bigint, reserved: bigint): Balance => ({
  used: String(used),
  reserved: String(reserved),
  remaining: String(limit - used - reserved),
});

export const isAsExpected = ({ expected, found }: StoryStep): boolean =>
  found.used === expected.used &&
  found.reserved === expected.reserved &&
  found.remaining === expected.remaining;

const isWithin = (step: StoryStep, limit: bigint): boolean =>
  isAsExpected(step) && BigInt(step.found.used) + BigInt(step.found.reserved) <= limit;

/** The first reservation is for the event of the story, the others for events that will never come. */
async function reserveAll(
  { client, customer, feature, storyEvent: { fact } }: Stage,
  amount: string,
): Promise<{ granted: string[]; refused: Refused }> {
  const granted: string[] = [];
  while (granted.length < PIECES_MAX) {
    const event =
      granted.length === 0
        ? { source: fact.source, id: fact.id }
        : { source: 'urn:demo:cancelled', id: String(granted.length) };
    const { status, body } = await client.send(
      {
        method: 'POST',
        path: `/v1/customers/${encodeURIComponent(customer)}/reservations`,
        body: { feature, amount, ttlSeconds: TTL_SECONDS, event },
      },
      'quota_exceeded',
    );
    if ('code' in (body as object)) return { granted, refused: refusedBy(status, body as Refused) };
    granted.push((body as { id: string }).id);
  }
  throw new Error(`${PIECES_MAX} reservations of ${amount} were granted, more than there was room for`);
}

/** A problem says more: of all limits, and what they mean. */
const refusedBy = (status: number, { code, reason, remaining, resetsAt }: Refused): Refused => ({
  status,
  code,
  reason,
  remaining,
  resetsAt,
});
