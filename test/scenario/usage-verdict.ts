import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { meterVersion, catalogue } from '#infra/catalogue/tables.ts';
import { isHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Message } from '#infra/topic/topic.ts';
import { conflict, deadLetter, event, type Row } from '#infra/usage/tables.ts';
import { effectsOf, labelOf, refusalOf } from '#test/support/usage-model.ts';
import type { CountedEvent, ModelCatalogue } from '#test/support/usage-model.ts';
import { checkUsage } from '#test/support/usage-store-check.ts';
import { FILTERS, REFUSED_BY_STORE } from './usage-script.ts';
import type { Corrections } from './usage-tasks.ts';
import { toDelivery } from './usage-world.ts';
import type { UsageWorld } from './usage-world.ts';

type EventRow = Row<typeof event>;

/** A copy of an event that was delivered, or handed over as a replacement. */
interface Copy {
  readonly message: Message;
  readonly event: UsageEvent;
}

/** Everything a finished run is judged by. */
interface Evidence {
  readonly world: UsageWorld;
  readonly corrections: Corrections;
  readonly model: ModelCatalogue;
  readonly copies: readonly Copy[];
  readonly rows: ReadonlyMap<string, EventRow>;
  /** Message id -> dead letter. */
  readonly letters: ReadonlyMap<string, Row<typeof deadLetter>>;
}

/** Everything that was ever published, seen through a subscription that nobody else reads. */
async function published({ topic }: UsageWorld): Promise<Message[]> {
  return topic.open('audit').pull(10_000);
}

async function gather(world: UsageWorld, corrections: Corrections): Promise<Evidence> {
  const letters = new Map(world.database.rows(deadLetter).map((row) => [row.messageId, row]));
  const copies: Copy[] = [];
  for (const message of [
    ...(await published(world)),
    ...corrections.amendments.map((each) => each.message),
  ]) {
    if (isHeartbeat(message)) continue;
    const delivery = toDelivery(message);
    if (delivery.event) copies.push({ message, event: delivery.event });
    else
      expect(letters.get(message.id)?.reason, `the dead letter of ${message.id}`).to.equal(
        delivery.refusal.reason,
      );
  }
  const rows = new Map(world.database.rows(event).map((row) => [row.identity, row]));
  const meters = world.database
    .rows(meterVersion)
    .map(({ key, generation, since, definition }) => ({ key, generation, since, definition }));
  return { world, corrections, model: { meters, filters: FILTERS }, copies, rows, letters };
}

/** Judges a run that is over: all stores, against what was published and corrected. */
export async function judge(world: UsageWorld, corrections: Corrections): Promise<void> {
  const evidence = await gather(world, corrections);
  for (const copy of evidence.copies) judgeCopy(evidence, copy);
  judgeConflicts(evidence);
  judgeStates(evidence);
  const counted = countedEvents(evidence);
  const live = counted.filter(({ event: { identity } }) => evidence.rows.get(identity)?.state === 'live');
  const [row] = world.database.rows(catalogue);
  const effects = live.flatMap((each) => effectsOf(evidence.model, each));
  const everCounted = counted.flatMap((each) => effectsOf(evidence.model, each));
  const everVoided = new Set(
    corrections.done.filter(({ leaves }) => leaves === 'void').map(({ identity }) => identity),
  );
  checkUsage(
    world.database,
    { meters: evidence.model.meters, effects, everCounted, everVoided },
    row?.rolledThrough ?? -1,
  );
  await judgeExactView(evidence, live);
}

/** A copy is counted, a conflict, or a dead letter; and a dead letter only where it was refused before its event was stored. */
function judgeCopy({ world, model, rows, letters }: Evidence, { message, event: said }: Copy): void {
  const row = rows.get(said.identity);
  const letter = letters.get(message.id);
  if (letter?.reason === REFUSED_BY_STORE) return;
  const [current] = world.database.rows(catalogue);
  const versions = Array.from({ length: (current?.version ?? 0) + 1 }, (_, version) => version);
  if (letter !== undefined) {
    const reasons = versions.map((version) => refusalOf(model, said, version));
    expect(reasons, `the dead letter of ${message.id}`).to.include(letter.reason);
    if (row?.digest != null)
      expect(row.committedAt, `${message.id} was refused before it was stored`).to.be.at.least(
        letter.receivedAt,
      );
    return;
  }
  expect(row?.digest, `${message.id} is accounted for`).to.not.equal(undefined);
  if (row?.digest === said.digest) {
    expect([row.type, row.subject], `the row of ${message.id}`).to.deep.equal([said.type, said.subject]);
  } else {
    const recorded = world.database
      .rows(conflict)
      .some((each) => each.identity === said.identity && each.digest === said.digest);
    expect(recorded, `${message.id} is a conflict on record`).to.equal(true);
  }
}

/** No conflict is on record but of a copy that says something else than the one that counts. */
function judgeConflicts({ world, copies, rows }: Evidence): void {
  for (const { identity, digest } of world.database.rows(conflict)) {
    expect(rows.get(identity)?.digest, 'a conflict is not the event itself').to.not.be.oneOf([
      digest,
      null,
      undefined,
    ]);
    const delivered = copies.some(({ event: said }) => said.identity === identity && said.digest === digest);
    expect(delivered, 'a conflict was delivered').to.equal(true);
  }
}

/** The last correction of an identity decides its state, where no other was under way at the same time. */
function judgeStates({ corrections: { done, amendments }, rows }: Evidence): void {
  for (const { identity, state } of rows.values()) {
    const own = done.filter((each) => each.identity === identity).toSorted((a, b) => a.to - b.to);
    const last = own.at(-1);
    const contested = last !== undefined && own.some((each) => each !== last && each.to >= last.from);
    if (!contested) expect(state, `the state of ${toHex(identity)}`).to.equal(last?.leaves ?? 'live');
  }
  for (const { message } of amendments) {
    const { event: said } = toDelivery(message);
    expect(said && rows.get(said.identity)?.state, `the replacement ${message.id}`).to.equal('live');
  }
}

/** Every event that is stored with a digest: what it said, and its time as it was first committed. */
function countedEvents({ copies, rows }: Evidence): CountedEvent[] {
  return [...rows.values()].flatMap((row) => {
    if (row.digest === null) return [];
    const same = copies.filter(
      ({ event: said }) => said.identity === row.identity && said.digest === row.digest,
    );
    const [copy] = same;
    if (copy === undefined) throw new Error(`the event ${toHex(row.identity)} was never delivered`);
    const times = same.map(({ event: said }) => said.time);
    expect(times, `the time of ${copy.event.id}`).to.include(row.time);
    return [{ event: copy.event, time: row.time, catalogueVersion: row.catalogueVersion }];
  });
}

/** The exact view shows every live event once, as it was said, and no other. */
async function judgeExactView(
  { world, model, rows }: Evidence,
  live: readonly CountedEvent[],
): Promise<void> {
  const shown: unknown[] = [];
  for await (const row of world.warehouse.query('events_exact', {})) {
    const { identity, digest, type, subject, time, data, committed_at, catalogue_version, matched_meters } =
      row;
    shown.push([
      identity,
      digest,
      type,
      subject,
      time,
      data,
      committed_at,
      catalogue_version,
      matched_meters,
    ]);
  }
  const expected = live
    .toSorted((a, b) => a.time - b.time || (a.event.identity < b.event.identity ? -1 : 1))
    .map((counted) => {
      const { event: said, time, catalogueVersion } = counted;
      const committedAt = formatInstant(rows.get(said.identity)?.committedAt ?? 0);
      const labels = effectsOf(model, counted).map(({ meter }) => labelOf(meter));
      const name = [
        toHex(said.identity),
        toHex(said.digest),
        said.type,
        said.subject,
        formatInstant(time),
        said.data,
      ];
      return [...name, committedAt, catalogueVersion, labels];
    });
  expect(shown, 'the exact view').to.deep.equal(expected);
}
