import type { Database, Transaction } from '#infra/database/database.ts';
import { UnknownOutcome } from '#infra/database/errors.ts';
import { IdempotencyError } from './errors.ts';
import {
  withIdempotency,
  type IdempotentRequest,
  type KeptAnswer,
  type Remembered,
  type WorkDone,
} from './with-idempotency.ts';

/** So often a commit whose answer was lost is asked about again at once; then the caller asks. */
const UNKNOWN_OUTCOMES_MAX = 3;

/** The keyed requests that this process is serving. Their number is that of its open requests. */
export interface InFlight {
  /** Throws `IdempotencyError` `idempotency_key_in_flight` while another request under the same key runs. */
  run<Result>(
    request: Pick<IdempotentRequest, 'namespace' | 'principal' | 'route' | 'key'>,
    work: () => Promise<Result>,
  ): Promise<Result>;
}

export function createInFlight(): InFlight {
  const running = new Set<string>();
  return {
    async run({ namespace, principal, route, key }, work) {
      const name = JSON.stringify([namespace, principal, route, key]);
      if (running.has(name))
        throw new IdempotencyError(
          'idempotency_key_in_flight',
          'a request with this Idempotency-Key is still running: send it again a little later',
        );
      running.add(name);
      try {
        return await work();
      } finally {
        running.delete(name);
      }
    },
  };
}

export interface IdempotentRun<Answer extends KeptAnswer> {
  readonly database: Database;
  readonly inFlight: InFlight;
  readonly request: IdempotentRequest;
  /** Runs inside the transaction that keeps its answer, and may run again. */
  readonly work: (tx: Transaction) => Promise<WorkDone<Answer>>;
  /** The answer to what the work throws, if that answer is to be kept: a refusal by our own rules. */
  readonly refusalOf: (error: unknown) => KeptAnswer | undefined;
}

/**
 * Serves a keyed request: the change and its answer are committed together. When the answer of the commit is lost, the work runs again
 * and finds what it kept. A refusal changes nothing, and is kept by a transaction of its own. Throws `IdempotencyError`, what the work
 * throws and `refusalOf` gives no answer for, and what the database throws.
 */
export async function runIdempotent<Answer extends KeptAnswer>(
  run: IdempotentRun<Answer>,
): Promise<Remembered<Answer | KeptAnswer>> {
  return run.inFlight.run(run.request, () => serve(run));
}

async function serve<Answer extends KeptAnswer>({
  database,
  request,
  work,
  refusalOf,
}: IdempotentRun<Answer>): Promise<Remembered<Answer | KeptAnswer>> {
  try {
    return await untilKnown(database, request, work);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return untilKnown(database, request, async () => ({ answer: refusal }));
  }
}

/**
 * Runs the transaction again while its outcome is unknown. If it had been committed after all, the run after it finds the answer that it
 * kept: then the caller gets the answer which that run gave, whole and for the first time.
 */
async function untilKnown<Answer extends KeptAnswer>(
  database: Database,
  request: IdempotentRequest,
  work: IdempotentRun<Answer>['work'],
): Promise<Remembered<Answer>> {
  const perhapsCommitted: WorkDone<Answer>[] = [];
  for (let unknown = 0; ; unknown++) {
    let done: WorkDone<Answer> | undefined;
    try {
      const { result } = await database.transact((tx) =>
        withIdempotency(tx, request, async () => (done = await work(tx))),
      );
      return result.replayed ? (ownAnswer(perhapsCommitted, result.answer) ?? result) : result;
    } catch (error) {
      if (!(error instanceof UnknownOutcome) || unknown >= UNKNOWN_OUTCOMES_MAX) throw error;
      if (done !== undefined) perhapsCommitted.push(done);
    }
  }
}

function ownAnswer<Answer extends KeptAnswer>(
  perhapsCommitted: readonly WorkDone<Answer>[],
  found: KeptAnswer,
): Remembered<Answer> | undefined {
  const own = perhapsCommitted.find(({ answer, kept = answer }) => saysTheSame(kept, found));
  return own && { replayed: false, answer: own.answer };
}

const saysTheSame = (a: KeptAnswer, b: KeptAnswer): boolean =>
  a.status === b.status && JSON.stringify(a.body ?? null) === JSON.stringify(b.body);
