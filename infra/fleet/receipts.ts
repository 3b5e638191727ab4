import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import type { AckId, Topic } from '#infra/topic/topic.ts';
import { readCarriedAckId, type CarriedAckId, type HolderId } from './carried-ack-id.ts';
import type { Holder } from './holder.ts';
import { packOrdinals, unpackOrdinals } from './ordinal-set.ts';
import { fleetReceipt, type FleetReceiptRow } from './tables.ts';

/** Receipts are stored and read so often. Until then a holder keeps leases that nobody needs, which costs nothing. */
export const RECEIPTS_EVERY_MS = 500;
/** A row has so many ordinals at most: some bytes each, where they lie far apart. */
export const RECEIPT_ORDINALS_MAX = 10_000;
/** What waits to be stored while the database takes nothing; beyond it the oldest are dropped, and their holders wait in vain. */
export const RECEIPTS_WAITING_MAX = 200_000;
/** What is stored, or read, in one go. */
const RECEIPT_ROWS_MAX = 200;

/** Tells the holders of messages that these were acknowledged. Nothing rests on it but how soon they let go: a lost receipt only delays. */
export interface Receipts {
  /** A holder in this process is told at once, the others by what `store` writes. */
  acknowledged(carried: readonly CarriedAckId[]): void;
  /** Stores what waits. Throws what the database throws; then it waits on, in the same rows. */
  store(): Promise<void>;
}

export interface ReceiptsOptions {
  readonly database: Database;
  /** Who acknowledges: a name that is never used again. */
  readonly writer: string;
  /** The holder, where it lives in this process. */
  readonly holderHere: (id: HolderId) => Holder | undefined;
  readonly clock: () => Instant;
  /** Told how many receipts were dropped. */
  readonly onDropped?: (ordinals: number) => void;
}

export function createReceipts(options: ReceiptsOptions): Receipts {
  const waiting = new Map<HolderId, Set<number>>();
  let waitingCount = 0;
  /** Rows that were begun to be stored. They stay what they are until they are: stored twice they are one. */
  let begun: readonly FleetReceiptRow[] = [];
  let sequence = 0;

  const note = (holder: HolderId, ordinals: readonly number[]): void => {
    const noted = waiting.get(holder) ?? new Set();
    waiting.set(holder, noted);
    const before = noted.size;
    for (const ordinal of ordinals) noted.add(ordinal);
    waitingCount += noted.size - before;
  };
  const dropBeyondBound = (): void => {
    for (const [holder, { size }] of waiting) {
      if (waitingCount <= RECEIPTS_WAITING_MAX) return;
      waiting.delete(holder);
      waitingCount -= size;
      options.onDropped?.(size);
    }
  };
  const begin = (): FleetReceiptRow[] => {
    const { writer, clock } = options;
    const storedAt = clock();
    const rows = [...waiting].flatMap(([holder, noted]) =>
      chunksOf([...noted], RECEIPT_ORDINALS_MAX).map((chunk) => {
        sequence++;
        return { holder, writer, sequence, ordinals: packOrdinals(chunk), storedAt };
      }),
    );
    waiting.clear();
    waitingCount = 0;
    return rows;
  };
  const storeAll = async (): Promise<void> => {
    if (begun.length === 0) begun = begin();
    while (begun.length > 0) {
      await storeRows(options.database, begun.slice(0, RECEIPT_ROWS_MAX));
      begun = begun.slice(RECEIPT_ROWS_MAX);
    }
  };
  let storing: Promise<void> | undefined;
  return {
    acknowledged: (carried) => {
      for (const [holder, ordinals] of byHolder(carried)) {
        const here = options.holderHere(holder);
        if (here === undefined) note(holder, ordinals);
        else here.settle(ordinals);
      }
      dropBeyondBound();
    },
    store: () => (storing ??= storeAll().finally(() => (storing = undefined))),
  };
}

async function storeRows(database: Database, rows: readonly FleetReceiptRow[]): Promise<void> {
  await database.transact(async (tx) => rows.forEach((row) => tx.upsert(fleetReceipt, row)));
}

function byHolder(carried: readonly CarriedAckId[]): Map<HolderId, number[]> {
  const found = new Map<HolderId, number[]>();
  for (const { holder, ordinal } of carried) {
    const ordinals = found.get(holder);
    if (ordinals === undefined) found.set(holder, [ordinal]);
    else ordinals.push(ordinal);
  }
  return found;
}

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  const chunks: Item[][] = [];
  for (let at = 0; at < items.length; at += size) chunks.push(items.slice(at, at + size));
  return chunks;
}

/**
 * Reads the receipts of a holder, tells it, and only then deletes them: what is read twice changes nothing the second time. Returns how many
 * rows there were.
 */
export async function takeReceipts(database: Database, holder: Holder): Promise<number> {
  const range = { prefix: [holder.id] };
  const rows = await Array.fromAsync(database.scan(fleetReceipt, range, { limit: RECEIPT_ROWS_MAX }));
  for (const { ordinals } of rows) holder.settle(ordinalsIn(ordinals));
  if (rows.length > 0)
    await database.transact(async (tx) =>
      rows.forEach(({ writer, sequence }) => tx.delete(fleetReceipt, [holder.id, writer, sequence])),
    );
  return rows.length;
}

/** A row that cannot be read says nothing, and must not be in the way of the others. */
function ordinalsIn(bytes: Uint8Array): number[] {
  try {
    return unpackOrdinals(bytes);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/**
 * A topic as whoever commits uses it, on a handle that need not be the one that the messages came by: their ids were carried here, and what
 * is acknowledged is told to their holders.
 */
export function acknowledgeCarried(topic: Topic, receipts: Receipts): Topic {
  const plain = (ids: readonly AckId[]): AckId[] => ids.map((id) => readCarriedAckId(id).ackId);
  return {
    ...topic,
    ack: async (ids) => {
      const carried = ids.map(readCarriedAckId);
      await topic.ack(carried.map(({ ackId }) => ackId));
      receipts.acknowledged(carried);
    },
    release: (ids) => topic.release(plain(ids)),
    extend: (ids, seconds) => topic.extend(plain(ids), seconds),
  };
}
