import type { Refusal } from '#domain/metering/dead-letter.ts';
import { RefusedValue, StoreFailure } from '#infra/database/errors.ts';
import { commitDeliveries, type CommitContext, type Committed } from './commit.ts';
import type { Delivery } from './delivery.ts';

/** Of so many events at most one in a hundred may be refused by the store before the store itself is under suspicion. */
const WINDOW_EVENTS = 1_000;
const CULPRITS_PER_WINDOW_MAX = WINDOW_EVENTS / 100;
/** Doubts are few, or the store is at fault; forgetting one only means that it is doubted once more. */
const DOUBTS_MAX = 1_000;

/**
 * Commits batches in which the store may refuse a value. Such a batch is halved until the culprit stands alone; it is dead-lettered only
 * when events were stored beside it, or between two refusals of it: a store that refuses everything is a failing store, and no event is
 * to blame for that.
 */
export interface BisectingCommitter {
  /** Throws what a failing store throws; what had committed by then stays. */
  commit(deliveries: readonly Delivery[]): Promise<BisectedCommit>;
}

export interface BisectedCommit {
  /** Every commit that was made for the deliveries. */
  readonly committed: readonly Committed[];
  /** Refused, with nothing beside them to show whether they or the store are at fault: to be delivered again, in other company. */
  readonly doubted: readonly Delivery[];
}

interface Suspect {
  readonly delivery: Delivery;
  readonly error: RefusedValue;
}

export function createBisectingCommitter(context: CommitContext): BisectingCommitter {
  const breaker = createBreaker();
  const doubts = createDoubts();

  /** The commits of the deliveries, but for the suspects among them. */
  async function bisect(deliveries: readonly Delivery[], suspects: Suspect[]): Promise<Committed[]> {
    try {
      const committed = await commitDeliveries(context, deliveries);
      const accepted = acceptedOf(committed);
      breaker.committed(accepted);
      doubts.committed(accepted);
      return [committed];
    } catch (error) {
      if (!(error instanceof RefusedValue)) throw error;
      const [only] = deliveries;
      if (deliveries.length === 1 && only !== undefined) {
        // Another copy of a culprit is no other culprit: producers publish again what was not confirmed.
        if (!suspects.some(({ delivery }) => isSameEvent(delivery, only))) breaker.refused(error);
        suspects.push({ delivery: only, error });
        return [];
      }
      const middle = deliveries.length >> 1;
      const left = await bisect(deliveries.slice(0, middle), suspects);
      return [...left, ...(await bisect(deliveries.slice(middle), suspects))];
    }
  }

  return {
    commit: async (deliveries) => {
      const suspects: Suspect[] = [];
      const storedBefore = doubts.stored();
      const committed = await bisect(deliveries, suspects);
      if (suspects.length === 0) return { committed, doubted: [] };
      if (!suspects.every(({ delivery }) => doubts.areDispelled(delivery, storedBefore))) {
        breaker.withdraw();
        return { committed, doubted: suspects.map(({ delivery }) => delivery) };
      }
      return {
        committed: [...committed, await commitDeliveries(context, suspects.map(toRefused))],
        doubted: [],
      };
    },
  };
}

/** Only an event that was stored shows that the store takes values: for duplicates it is hardly asked. */
const acceptedOf = ({ classified }: Committed): number =>
  classified.reduce((sum, { outcome }) => sum + (outcome === 'accepted' ? 1 : 0), 0);

const isSameEvent = (a: Delivery, b: Delivery): boolean =>
  a.event !== undefined && a.event.identity === b.event?.identity;

/** The event again, as a refusal: the second commit writes its dead letter and nothing else. */
function toRefused({ delivery, error }: Suspect): Delivery {
  const refusal: Refusal = { reason: 'rejected_by_store', detail: error.message };
  const { event: said, ...delivered } = delivery;
  return { ...delivered, refusal, known: said ?? { id: null, source: null, type: null, subject: null } };
}

/**
 * Where traffic is thin, an event that was refused alone may well be alone every time it comes again, and the watermark would wait for
 * it. So a success in between is as good as one beside it: the store took others, and still refuses this one.
 */
function createDoubts() {
  let stored = 0;
  /** What was refused -> how many events had been stored before it was refused first. */
  const storedBefore = new Map<string, number>();
  return {
    stored: (): number => stored,
    committed: (accepted: number): void => void (stored += accepted),
    /** Whether an event was stored beside this refused one, or since it was refused before. */
    areDispelled: ({ event, message }: Delivery, before: number): boolean => {
      const name = event?.identity ?? message.id;
      const first = storedBefore.get(name) ?? before;
      const [oldest] = storedBefore.keys();
      if (storedBefore.size >= DOUBTS_MAX && oldest !== undefined) storedBefore.delete(oldest);
      storedBefore.set(name, first);
      return stored > first;
    },
  };
}

/** Opens, by throwing, on two culprits with no success between them, or on too many of them among the last thousand events. */
function createBreaker() {
  let inARow = 0;
  let events = 0;
  let culprits = 0;
  const count = (seen: number): void => {
    events += seen;
    if (events < WINDOW_EVENTS) return;
    events = 0;
    culprits = 0;
  };
  return {
    /** Events that were stored; none is no success. */
    committed: (accepted: number): void => {
      if (accepted === 0) return;
      inARow = 0;
      count(accepted);
    },
    /** The one culprit of a batch is not believed to be one, so it does not count. */
    withdraw: (): void => {
      inARow = 0;
      culprits = Math.max(0, culprits - 1);
    },
    refused: (cause: RefusedValue): void => {
      inARow++;
      culprits++;
      if (inARow >= 2 || culprits > CULPRITS_PER_WINDOW_MAX) {
        inARow = 0;
        throw new StoreFailure(
          'the store refuses value after value: nothing is dead-lettered until it is mended',
          cause,
        );
      }
      count(1);
    },
  };
}
