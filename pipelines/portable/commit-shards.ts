import { MICROS_PER_MILLI } from '#domain/instant.ts';
import type { Delivery } from '#infra/usage/delivery.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { instantOf, type WindowedValue } from '#pipelines/beam/sdk.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import { inGlobalWindow } from '#pipelines/beam/windowed-value.ts';

/** Commits that run side by side: enough for all workers, few enough that a shard has some events in each second. */
export const DEFAULT_COMMIT_SHARDS = 32;
export const COMMIT_SHARDS_MAX = 4_096;

/** FNV-1a over UTF-16 code units: shards must agree between workers and releases, and nothing else is asked of them. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function hashOf(text: string, from: number): number {
  let hash = from;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return hash;
}

/**
 * Which commit shard a delivery is of, 0 to `shards` - 1. All events of a subject are of one, so that its cells have a single writer; what
 * has no subject is spread by its message.
 */
export function shardOf({ namespace, event, message }: Delivery, shards: number): number {
  const name = event === undefined ? message.id : event.subject;
  // No name of a namespace has a zero in it, so that two names never run into each other.
  const hash = hashOf(name, hashOf('\0', hashOf(namespace, FNV_OFFSET)));
  return ((hash ^ (hash >>> 16)) >>> 0) % shards;
}

/** A batch is closed when it has so many deliveries, or bytes of messages: what crosses a wire in one piece stays small. */
export const BATCH_DELIVERIES_MAX = 500;
export const BATCH_BYTES_MAX = 256 * 1024;

/** Deliveries of one shard that a runner shuffles in one piece. */
type Batch = readonly Delivery[];

interface OpenBatch {
  readonly deliveries: Delivery[];
  bytes: number;
}

/** What a copy has gathered of the bundle that runs: batches that are closed, and the open one of each shard. */
interface Gathered {
  readonly closed: Keyed<Batch>[];
  readonly open: Map<string, OpenBatch>;
}

const gathered = new WeakMap<ToCommitShard, Gathered>();

/**
 * Gives deliveries the key that a runner groups them by, and gathers those of a bundle that have the same: a runner works at each element that it
 * groups, whatever is in it, and that costs it more than all else does with an event.
 */
export class ToCommitShard implements SyncDoFn<Delivery, Keyed<Batch>> {
  readonly shards: number;

  constructor(shards: number) {
    if (!Number.isSafeInteger(shards) || shards < 1 || shards > COMMIT_SHARDS_MAX)
      throw new RangeError(`commit shards are 1 to ${COMMIT_SHARDS_MAX}, not ${shards}`);
    this.shards = shards;
  }

  startBundle(): void {
    // Of a bundle that failed something may be left.
    gathered.set(this, { closed: [], open: new Map() });
  }

  process(delivery: Delivery): void {
    const { closed, open } = gatheredBy(this);
    const key = String(shardOf(delivery, this.shards));
    let batch = open.get(key);
    if (batch === undefined) open.set(key, (batch = { deliveries: [], bytes: 0 }));
    batch.deliveries.push(delivery);
    batch.bytes += delivery.message.data.length;
    if (batch.deliveries.length < BATCH_DELIVERIES_MAX && batch.bytes < BATCH_BYTES_MAX) return;
    closed.push({ key, value: batch.deliveries });
    open.delete(key);
  }

  finishBundle(emit: Emit<WindowedValue<Keyed<Batch>>>): void {
    const { closed, open } = gatheredBy(this);
    gathered.delete(this);
    for (const each of closed) emit(inItsTime(each));
    for (const [key, { deliveries }] of open) emit(inItsTime({ key, value: deliveries }));
  }
}

function gatheredBy(doFn: ToCommitShard): Gathered {
  const found = gathered.get(doFn);
  if (found === undefined) throw new Error('ToCommitShard is in no bundle');
  return found;
}

/** A batch has the time of its earliest message, so that it holds the watermark back for all of them. */
function inItsTime(batch: Keyed<Batch>): WindowedValue<Keyed<Batch>> {
  let earliest = Infinity;
  for (const { message } of batch.value) earliest = Math.min(earliest, message.publishTime);
  return inGlobalWindow(batch, instantOf(Math.floor(earliest / MICROS_PER_MILLI)));
}

/** What a runner has gathered of a shard, one by one again: the sink commits whatever its bundle holds. */
export class FromCommitShard implements SyncDoFn<Keyed<readonly Batch[]>, Delivery> {
  process({ value }: Keyed<readonly Batch[]>, emit: Emit<Delivery>): void {
    for (const batch of value) for (const delivery of batch) emit(delivery);
  }
}
