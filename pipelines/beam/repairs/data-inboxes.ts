/** What takes the data of one bundle and transform: the SDK's source operator. */
export interface DataConsumer {
  sendData(data: Uint8Array): Promise<void>;
  sendTimers(timerFamilyId: string, timers: Uint8Array): Promise<void>;
  close(): void;
  onError(error: unknown): void;
}
export type Delivery = (consumer: DataConsumer) => void | Promise<void>;

/** The data of one bundle and transform, in order, from before its consumer exists until after its end. */
interface Inbox {
  readonly attach: (consumer: DataConsumer) => void;
  readonly attached: () => boolean;
  readonly deliver: (delivery: Delivery) => Promise<void>;
  readonly fail: (error: unknown) => void;
}

export interface DataInboxes {
  attach(bundleId: string, transformId: string, consumer: DataConsumer): void;
  attached(bundleId: string, transformId: string): boolean;
  /** Resolves when the consumer has taken it, which is never before it has taken all that came earlier. Does not reject. */
  deliver(bundleId: string, transformId: string, delivery: Delivery): Promise<void>;
  /** The transform takes no more data in this bundle. */
  close(bundleId: string, transformId: string): void;
  /** The bundle takes no more data. */
  forget(bundleId: string): void;
  fail(error: unknown): void;
  /** How many inboxes are open: a check against leaks. */
  size(): number;
}

/** Data that arrives for a bundle that has ended is thrown away; so many of the last ends are remembered. */
const ENDS_REMEMBERED = 10_000;

const discard: DataConsumer = {
  sendData: () => Promise.resolve(),
  sendTimers: () => Promise.resolve(),
  close: () => undefined,
  onError: () => undefined,
};

function createInbox(): Inbox {
  const { promise: consumer, resolve } = Promise.withResolvers<DataConsumer>();
  let attached = false;
  let failed = false;
  let tail = Promise.resolve();
  const failWith = (to: DataConsumer, error: unknown): void => {
    if (!failed) to.onError(error);
    failed = true;
  };
  const take = async (delivery: Delivery): Promise<void> => {
    const to = await consumer;
    try {
      if (!failed) await delivery(to);
    } catch (error) {
      failWith(to, error);
    }
  };
  return {
    attach: (to) => {
      attached = true;
      resolve(to);
    },
    attached: () => attached,
    deliver: (delivery) => (tail = tail.then(() => take(delivery))),
    fail: (error) => void consumer.then((to) => failWith(to, error)),
  };
}

function createEnds(): { add(key: string): void; has(key: string): boolean } {
  const ends = new Set<string>();
  return {
    has: (key) => ends.has(key),
    add: (key) => {
      ends.add(key);
      const [oldest] = ends;
      if (ends.size > ENDS_REMEMBERED && oldest !== undefined) ends.delete(oldest);
    },
  };
}

export function createDataInboxes(): DataInboxes {
  const inboxes = new Map<string, Map<string, Inbox>>();
  const ends = createEnds();
  const keyOf = (bundleId: string, transformId: string): string => JSON.stringify([bundleId, transformId]);
  const inboxOf = (bundleId: string, transformId: string): Inbox => {
    const ofBundle = inboxes.get(bundleId) ?? new Map<string, Inbox>();
    const inbox = ofBundle.get(transformId) ?? createInbox();
    inboxes.set(bundleId, ofBundle.set(transformId, inbox));
    return inbox;
  };
  const hasEnded = (bundleId: string, transformId: string): boolean =>
    ends.has(bundleId) || ends.has(keyOf(bundleId, transformId));
  return {
    attach: (bundleId, transformId, consumer) => inboxOf(bundleId, transformId).attach(consumer),
    attached: (bundleId, transformId) => inboxes.get(bundleId)?.get(transformId)?.attached() ?? false,
    deliver: async (bundleId, transformId, delivery) => {
      if (!hasEnded(bundleId, transformId)) await inboxOf(bundleId, transformId).deliver(delivery);
    },
    close: (bundleId, transformId) => {
      ends.add(keyOf(bundleId, transformId));
      const ofBundle = inboxes.get(bundleId);
      ofBundle?.get(transformId)?.attach(discard);
      ofBundle?.delete(transformId);
      if (ofBundle?.size === 0) inboxes.delete(bundleId);
    },
    forget: (bundleId) => {
      ends.add(bundleId);
      for (const inbox of inboxes.get(bundleId)?.values() ?? []) inbox.attach(discard);
      inboxes.delete(bundleId);
    },
    fail: (error) => {
      for (const ofBundle of inboxes.values()) for (const inbox of ofBundle.values()) inbox.fail(error);
    },
    size: () => [...inboxes.values()].reduce((sum, ofBundle) => sum + ofBundle.size, 0),
  };
}
