import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { UsageEvent } from '#domain/metering/event.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { meterBackfill, meterVersion, catalogue } from '#infra/catalogue/tables.ts';
import type { HostileDatabase } from '#infra/database/hostile/open-hostile.ts';
import { isHeartbeat } from '#infra/topic/heartbeat.ts';
import type { Message } from '#infra/topic/topic.ts';
import { conflict, deadLetter, event, type Row } from '#infra/usage/tables.ts';
import { backfilledEffectsOf, effectsOf, labelOf, refusalOf } from '#test/support/usage-model.ts';
import type { CountedEvent, ModelCatalogue } from '#test/support/usage-model.ts';
import { checkUsage } from '#test/support/usage-store-check.ts';
import { FILTERS, NAMESPACES, REFUSED_BY_STORE } from './usage-script.ts';
import type { Corrections } from './usage-tasks.ts';
import { toDelivery } from './usage-world.ts';
import type { UsageWorld } from './usage-world.ts';

type EventRow = Row<typeof event>;

/** A copy of an event that was delivered, or handed over as a replacement. */
interface Copy {
  readonly message: Message;
  readonly event: UsageEvent;
}

/** Everything one namespace of a finished run is judged by. */
interface Evidence {
  readonly namespace: string;
  readonly world: UsageWorld;
  /** The namespace's rows, and no others. */
  readonly store: Pick<HostileDatabase, 'rows'>;
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

/** Every copy of an event that was ever delivered. What could not be read must be a dead letter. */
async function copiesIn(world: UsageWorld, corrections: Corrections): Promise<Copy[]> {
  const letters = new Map(world.database.rows(deadLetter).map((row) => [row.messageId, row]));
  const copies: Copy[] = [];
  const messages = [...(await published(world)), ...corrections.amendments.map((each) => each.message)];
  const replayed = new Set(messages.map((message) => toDelivery(message).replays?.messageId));
  for (const message of messages) {
    if (isHeartbeat(message)) continue;
    const delivery = toDelivery(message);
    if (delivery.event) copies.push({ message, event: delivery.event });
    else {
      const letter = letters.get(delivery.replays?.messageId ?? message.id);
      // A replay knows whose the event is, and may be refused for a reason of its own.
      if (!replayed.has(message.id))
        expect(letter?.reason, `the dead letter of ${message.id}`).to.equal(delivery.refusal.reason);
      expect(letter?.namespace, `the namespace of ${message.id}`).to.equal(delivery.namespace);
    }
  }
  return copies;
}

function evidenceOf(
  namespace: string,
  { world, corrections, copies }: Pick<Evidence, 'world' | 'corrections' | 'copies'>,
): Evidence {
  const store = rowsOf(world, namespace);
  const letters = new Map(store.rows(deadLetter).map((row) => [row.messageId, row]));
  const rows = new Map(store.rows(event).map((row) => [row.identity, row]));
  const meters = store.rows(meterVersion).map(({ key, version, generation, since, definition }) => {
    const [backfilled] = store
      .rows(meterBackfill)
      .filter((row) => row.meter === key && row.version === version);
    return { key, generation, since, definition, ...(backfilled && { backfilled }) };
  });
  const own = copies.filter((copy) => copy.event.namespace === namespace);
  const model = { meters, filters: FILTERS };
  return { namespace, world, store, corrections, model, copies: own, rows, letters };
}

const rowsOf = ({ database }: UsageWorld, namespace: string): Evidence['store'] => ({
  rows: (table) => database.rows(table).filter((row) => !('namespace' in row) || row.namespace === namespace),
});

/** Judges a run that is over: all stores, against what was published and corrected, namespace by namespace. */
export async function judge(world: UsageWorld, corrections: Corrections): Promise<void> {
  const copies = await copiesIn(world, corrections);
  for (const namespace of NAMESPACES)
    await judgeNamespace(evidenceOf(namespace, { world, corrections, copies }));
  const strangers = world.database
    .rows(event)
    .filter((row) => !(NAMESPACES as readonly string[]).includes(row.namespace));
  expect(strangers, 'events of no namespace').to.deep.equal([]);
}

async function judgeNamespace(evidence: Evidence): Promise<void> {
  const { store, corrections } = evidence;
  for (const copy of evidence.copies) judgeCopy(evidence, copy);
  judgeReplays(evidence);
  judgeConflicts(evidence);
  judgeStates(evidence);
  const counted = countedEvents(evidence);
  const live = counted.filter(({ event: { identity } }) => evidence.rows.get(identity)?.state === 'live');
  const [row] = store.rows(catalogue);
  const allEffects = (each: CountedEvent) => [
    ...effectsOf(evidence.model, each),
    ...backfilledEffectsOf(evidence.model, each),
  ];
  const effects = live.flatMap(allEffects);
  const everCounted = counted.flatMap(allEffects);
  const everVoided = new Set(
    corrections.done.filter(({ leaves }) => leaves === 'void').map(({ identity }) => identity),
  );
  checkUsage(
    store,
    { meters: evidence.model.meters, effects, everCounted, everVoided },
    row?.rolledThrough ?? -1,
  );
  await judgeExactView(evidence, live);
}

/** A copy is counted, a conflict, or a dead letter; and a dead letter only where it was refused before its event was stored. */
function judgeCopy({ store, model, rows, letters }: Evidence, { message, event: said }: Copy): void {
  const row = rows.get(said.identity);
  const replayed = toDelivery(message).replays?.messageId;
  const letter = letters.get(replayed ?? message.id);
  // A stray has no reason of its event's own: its replay alone says whose it is.
  if (letter?.reason === REFUSED_BY_STORE || letter?.reason.startsWith('attribute_')) return;
  const [current] = store.rows(catalogue);
  const versions = Array.from({ length: (current?.version ?? 0) + 1 }, (_, version) => version);
  if (letter !== undefined && letter.state !== 'replayed') {
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
    const recorded = store
      .rows(conflict)
      .some((each) => each.identity === said.identity && each.digest === said.digest);
    expect(recorded, `${message.id} is a conflict on record`).to.equal(true);
  }
}

/** A letter that is replayed is taken: its event is stored, or on record as a conflict. An open or dismissed one says why it is not. */
function judgeReplays({ store, copies, rows, letters }: Evidence): void {
  for (const letter of letters.values()) {
    expect(letter.closedAt !== null, `${letter.messageId} is ${letter.state}`).to.equal(
      letter.state !== 'open',
    );
    if (letter.state !== 'replayed') continue;
    const said = copies.find(({ message }) =>
      [message.id, toDelivery(message).replays?.messageId].includes(letter.messageId),
    )?.event;
    if (said === undefined) throw new Error(`${letter.messageId} was replayed and is no event`);
    const isConflict = store
      .rows(conflict)
      .some((each) => each.identity === said.identity && each.digest === said.digest);
    const isTaken = rows.get(said.identity)?.digest === said.digest || isConflict;
    expect(isTaken, `the replayed letter ${letter.messageId} is taken`).to.equal(true);
  }
}

/** No conflict is on record but of a copy that says something else than the one that counts. */
function judgeConflicts({ store, copies, rows }: Evidence): void {
  for (const { identity, digest } of store.rows(conflict)) {
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
function judgeStates({ namespace, corrections: { done, amendments }, rows }: Evidence): void {
  for (const { identity, state } of rows.values()) {
    const own = done.filter((each) => each.identity === identity).toSorted((a, b) => a.to - b.to);
    const last = own.at(-1);
    const contested = last !== undefined && own.some((each) => each !== last && each.to >= last.from);
    if (!contested) expect(state, `the state of ${toHex(identity)}`).to.equal(last?.leaves ?? 'live');
  }
  for (const { message } of amendments) {
    const { event: said } = toDelivery(message);
    if (said?.namespace !== namespace) continue;
    expect(rows.get(said.identity)?.state, `the replacement ${message.id}`).to.equal('live');
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
  { namespace, world, model, rows }: Evidence,
  live: readonly CountedEvent[],
): Promise<void> {
  const shown: unknown[] = [];
  for await (const row of world.warehouse.query('events_exact', { namespace })) {
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
