import { createHolder, LOOKS_PER_DEADLINE, type Holder } from '#infra/fleet/holder.ts';
import { createJobHolder, type JobHolder } from '#infra/fleet/job-holders.ts';
import { RECEIPTS_EVERY_MS, takeReceipts } from '#infra/fleet/receipts.ts';
import { backoffMs } from '#pipelines/runner/backoff.ts';
import { runErrand, type Errand } from '#pipelines/runner/errand.ts';
import type { Holders, HoldingMembership, OpenedSources, PortableWorkerOptions } from './portable-worker.ts';

/** What the topic may take to be given back what is held, before its handles are closed, which gives it back as well. */
const GIVE_BACK_MS_MAX = 2_000;

/** How soon a worker hears that its job is drained, and that it is not any more. */
const LISTEN_EVERY_MS = 500;

/**
 * Holds messages, session after session, until the signal is aborted. A session ends when the worker could not say for too long what it holds:
 * then everything is given back; or when its job is drained, and everything was acknowledged. The next one is a holder of its own. Never
 * rejects: what fails is tried again.
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
  const place = placeInJob(options);
  if (!(await place.enter())) return options.scheduler.sleep(LISTEN_EVERY_MS, signal);
  try {
    await holdInPlace(signal, { options, holders, place });
  } finally {
    await place
      .leave()
      .catch((error: unknown) => options.log.warn({ err: error }, 'its row of the job is left to expire'));
  }
}

async function holdInPlace(
  signal: AbortSignal,
  { options, holders, place }: Pick<Session, 'options' | 'holders' | 'place'>,
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
    await holdUntil(signal, { options, holders, membership, sources, place });
  } finally {
    await sources.close();
  }
}

/** Of a worker whose job has no name here: its engine drains it, or nobody. */
const NOWHERE: JobHolder = {
  enter: async () => true,
  hearsDrain: async () => false,
  leave: async () => undefined,
};

const placeInJob = ({ job, worker, stores: { database }, scheduler }: PortableWorkerOptions): JobHolder =>
  job === undefined ? NOWHERE : createJobHolder(database, { job, worker, clock: scheduler.now });

interface Session {
  readonly options: PortableWorkerOptions;
  readonly holders: Holders;
  readonly membership: HoldingMembership;
  readonly sources: OpenedSources;
  readonly place: JobHolder;
}

async function holdUntil(signal: AbortSignal, session: Session): Promise<void> {
  const { options, holders, membership, sources } = session;
  const drained = new AbortController();
  const ended = AbortSignal.any([signal, membership.fenced, drained.signal]);
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
    drainErrand(session, own, drained),
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

/** While the job is drained its holders take nothing; when they hold nothing the session ends. A drain that was given up is as if none had been. */
const drainErrand = (
  { place, options }: Session,
  own: readonly Holder[],
  drained: AbortController,
): Errand => {
  let drains = false;
  return {
    everyMs: LISTEN_EVERY_MS,
    run: async () => {
      const drainsNow = await place.hearsDrain();
      if (drainsNow !== drains)
        options.log.info(
          { worker: options.worker },
          drainsNow ? 'the worker drains' : 'the worker pulls again',
        );
      drains = drainsNow;
      for (const holder of own) holder.setTaking(!drains);
      if (drains && own.every((holder) => holder.isEmpty())) drained.abort();
    },
  };
};

/** Best effort, and soon: what is not given back comes again when its lease ends. */
async function giveBack(own: readonly Holder[], { scheduler }: PortableWorkerOptions): Promise<void> {
  const given = new AbortController();
  const closing = Promise.allSettled(own.map((holder) => holder.close())).then(() => given.abort());
  await Promise.race([closing, scheduler.sleep(GIVE_BACK_MS_MAX, given.signal)]);
}
