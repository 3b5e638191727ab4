import { setImmediate } from 'node:timers';
import { setImmediate as untilEndOfTurn } from 'node:timers/promises';
import { ENTITLEMENT_CHECKS_MAX } from '#domain/limits.ts';
import type { Instant } from '#domain/instant.ts';
import type { Database } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import {
  answerChecks,
  refuseInvalid,
  type EntitlementAnswer,
  type EntitlementCheck,
} from './check-entitlements.ts';
import { createCheckMemory } from './check-memory.ts';

export interface Checks {
  /** The same as `checkEntitlements` for one check. Throws `EntitlementError` `invalid_check`, and what the database throws. */
  check(namespace: string, check: EntitlementCheck): Promise<EntitlementAnswer>;
}

/** Resolves when all checks of this turn of the event loop are answered: what then takes long holds up none of them. */
export async function afterChecks(): Promise<void> {
  // They are answered at the end of the turn, in the order in which it was asked for; and so the end of the next one is after all of them.
  await untilEndOfTurn();
  await untilEndOfTurn();
}

interface Waiting {
  readonly namespace: string;
  readonly check: EntitlementCheck;
  readonly resolve: (answer: EntitlementAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Answers checks that share snapshots: whatever is asked in one turn of the event loop is answered from one. Beginning and ending a
 * snapshot costs more than the check itself, so the busier a process is the cheaper a check becomes. What was read is remembered for the next
 * ones, as long as nothing is committed.
 */
export function createChecks({
  database,
  clock,
}: {
  readonly database: Database;
  readonly clock: () => Instant;
}): Checks {
  let waiting: Waiting[] = [];
  const memory = createCheckMemory();

  const answerAll = (): void => {
    const asked = waiting;
    waiting = [];
    for (const [namespace, some] of Map.groupBy(asked, (each) => each.namespace))
      for (let at = 0; at < some.length; at += ENTITLEMENT_CHECKS_MAX)
        void answer(namespace, some.slice(at, at + ENTITLEMENT_CHECKS_MAX));
  };

  const answer = async (namespace: string, some: readonly Waiting[]): Promise<void> => {
    try {
      const checks = some.map(({ check }) => check);
      const answers = await inSnapshot(database, (from) =>
        answerChecks(from, memory, { namespace, checks, now: clock() }),
      );
      some.forEach(({ resolve, reject }, index) => {
        const given = answers[index];
        if (given) resolve(given);
        else reject(new Error('a check was given no answer'));
      });
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  };

  return {
    check: async (namespace, check) => {
      // One that is malformed must not be the others' trouble.
      refuseInvalid([check]);
      return new Promise((resolve, reject) => {
        waiting.push({ namespace, check, resolve, reject });
        if (waiting.length === 1) setImmediate(answerAll);
      });
    },
  };
}
