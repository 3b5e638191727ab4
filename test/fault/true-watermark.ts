import { expect } from 'chai';
import type { Instant } from '#domain/instant.ts';
import { fromHex } from '#domain/metering/hash128.ts';
import type { Database } from '#infra/database/database.ts';
import { event } from '#infra/usage/tables.ts';
import type { PlannedMessage } from '#test/support/reference-plan.ts';
import { storedThrough } from './stored-through.ts';

/** What the topic has, and when it had it. */
export interface Durable {
  readonly by: Instant;
  readonly messages: readonly PlannedMessage[];
}

/** Holds the watermark against what is committed, again and again while a test goes on. */
export interface TrueWatermark {
  /** The topic has them: from now on the watermark may not pass them before they are committed. */
  published(durable: Durable): void;
  /** Expects that everything published before the watermark is an event row, and that it never goes back. Returns it. */
  check(): Promise<Instant>;
  /** How many of what was published it was not seen to have passed. */
  unpassed(): number;
}

export function createTrueWatermark(database: Database): TrueWatermark {
  /** In the order of their publication; what was found committed once stays so. */
  const unpassed: Durable[] = [];
  let last = 0;
  return {
    published: (durable) => void unpassed.push(durable),
    check: async () => {
      const through = await storedThrough(database);
      expect(through, 'the watermark').to.be.at.least(last);
      last = through;
      const first = unpassed.findIndex(({ by }) => by >= through);
      const passed = unpassed.splice(0, first === -1 ? unpassed.length : first);
      const missing = await notCommitted(
        database,
        passed.flatMap(({ messages }) => messages),
      );
      expect(missing, 'published before the watermark but not committed').to.deep.equal([]);
      return through;
    },
    unpassed: () => unpassed.length,
  };
}

/** The identities of those messages that are no event rows. */
export async function notCommitted(
  database: Database,
  messages: readonly PlannedMessage[],
): Promise<readonly string[]> {
  const identities = [...new Set(messages.flatMap(({ identity = [] }) => identity))];
  const rows = await database.read(
    event,
    identities.map((identity) => [fromHex(identity)]),
  );
  return identities.filter((_, i) => rows[i] === undefined);
}
