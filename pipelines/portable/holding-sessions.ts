import { createHolder, LOOKS_PER_DEADLINE, type Holder } from '#infra/fleet/holder.ts';
import { RECEIPTS_EVERY_MS, takeReceipts } from '#infra/fleet/receipts.ts';
import { backoffMs } from '#pipelines/runner/backoff.ts';
import { runErrand, type Errand } from '#pipelines/runner/errand.ts';
import type { Holders, HoldingMembership, OpenedSources, PortableWorkerOptions } from './portable-worker.ts';

/** What the topic may take to be given back what is held, before its handles are closed, which gives it back as well. */
const GIVE_BACK_MS_MAX = 2_000;

/**
 * Holds messages, session after session, until the signal is aborted. A session ends when the worker could not say for too long what it holds:
 * then everything is given back, and the next one is a holder of its own. Never rejects: what fails is tried again.
 */
export async function keepHolding(
  signal: AbortSignal,
  options: PortableWorkerOptions,
  holders: Holders,
): Promise<void> {
  const { scheduler, log } = options;
  let failures = 0;
  for (let session = 1; !signal.aborted; session++) {
    try {
      await holdSession(signal, { ...options, worker: `${options.worker}-${session}` }, holders);
      failures = 0;
    } catch (error) {
      failures++;
      log.error({ err: error, failures }, 'messages cannot be held; trying again');
      await scheduler.sleep(backoffMs(failures), signal);
    }
  }
}

async function holdSession(
  signal: AbortSignal,
  options: PortableWorkerOptions,
  holders: Holders,
): Promise<void> {
  const sources = await options.openSources();
  try {
    const membership = await options.join({
      ...options,
      database: options.stores.database,
      feeds: sources.feeds,
    });
    // Its claims count before it is given anything.
    await membership.claim();
    await holdUntil(AbortSignal.any([signal, membership.fenced]), { options, holders, membership, sources });
  } finally {
    await sources.close();
  }
}

interface Session {
  readonly options: PortableWorkerOptions;
  readonly holders: Holders;
  readonly membership: HoldingMembership;
  readonly sources: OpenedSources;
}

async function holdUntil(ended: AbortSignal, session: Session): Promise<void> {
  const { options, holders, membership, sources } = session;
  const own = membership.feeds.map(({ feed, topic }) => {
    const id = options.newHolderId();
    const holder = createHolder({ ...options, id, topic, onLetGo: letGoLog(options, feed) });
    holders.byId.set(id, holder);
    holders.byFeed.set(feed, holder);
    return holder;
  });
  options.log.info({ worker: options.worker }, 'the worker pulls');
  const errands = [
    ...membership.errands(options.errandsForAll),
    ...own.flatMap((holder) => errandsOf(holder, options)),
  ];
  const running = Promise.all(errands.map((errand) => runErrand(errand, options, ended)));
  await aborted(ended);
  // At once, whatever an errand still waits for: a database that does not answer may be why the session ends.
  holders.byFeed.clear();
  await giveBack(own, options);
  await sources.close();
  await running;
  await membership.leave();
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

const letGoLog =
  ({ log }: PortableWorkerOptions, feed: string) =>
  (messages: number): void =>
    log.warn({ feed, messages }, 'nobody acknowledged messages for too long: they come again');

/** While a holder holds nothing there is nothing that it could be told. */
const errandsOf = (holder: Holder, { stores, ackDeadlineSeconds }: PortableWorkerOptions): Errand[] => [
  { everyMs: (ackDeadlineSeconds * 1_000) / LOOKS_PER_DEADLINE, run: () => holder.keepLeases() },
  {
    everyMs: RECEIPTS_EVERY_MS,
    run: async () => (holder.held().messages === 0 ? undefined : takeReceipts(stores.database, holder)),
  },
];

/** Best effort, and soon: what is not given back comes again when its lease ends. */
async function giveBack(own: readonly Holder[], { scheduler }: PortableWorkerOptions): Promise<void> {
  const given = new AbortController();
  const closing = Promise.allSettled(own.map((holder) => holder.close())).then(() => given.abort());
  await Promise.race([closing, scheduler.sleep(GIVE_BACK_MS_MAX, given.signal)]);
}
