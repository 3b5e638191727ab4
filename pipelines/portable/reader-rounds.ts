import { MICROS_PER_SECOND, type Instant } from '#domain/instant.ts';

/** What the restriction of a reader says before anybody has read: no process wrote it. */
export const UNREAD = 'new';
/** Beyond the deadline, for what is on its way when it ends. */
const HOLD_MARGIN_SECONDS = 1;

/** One round of a reader, from the restriction that it was given. */
export interface ReaderRound {
  /** Messages may be out that nobody will emit: the source promises nothing of their times yet. */
  readonly holdsBack: boolean;
  /** The round has emitted all it will: the restriction of the next one. */
  end(): string;
}

export interface ReaderRounds {
  begin(reader: string, restriction: string): ReaderRound;
}

export interface ReaderRoundsOptions {
  /** A name of this process that is never used again. */
  readonly process: string;
  readonly clock: () => Instant;
  readonly ackDeadlineSeconds: number;
  /** What the rounds before emitted may be lost: they were not of this lineage. */
  readonly onBreak: (reader: string) => void;
}

interface Reader {
  /** What the next round is given if it follows the last one of this process. */
  expected: string | undefined;
  heldBackUntil: Instant;
}

/**
 * Follows which round of a reader comes after which. The restriction that a round leaves names the process and the round; a restriction
 * that is not the last one that was left here is of a new job, of one that was restored, or of a bundle that failed. What was pulled before
 * may then be in nobody's hands until its acknowledgement deadline has passed.
 */
export function createReaderRounds({
  process,
  clock,
  ackDeadlineSeconds,
  onBreak,
}: ReaderRoundsOptions): ReaderRounds {
  const readers = new Map<string, Reader>();
  const holdMicros = (ackDeadlineSeconds + HOLD_MARGIN_SECONDS) * MICROS_PER_SECOND;
  let rounds = 0;
  return {
    begin: (name, restriction) => {
      const reader = readers.get(name) ?? { expected: undefined, heldBackUntil: 0 };
      readers.set(name, reader);
      if (restriction !== reader.expected) {
        reader.heldBackUntil = clock() + holdMicros;
        onBreak(name);
      }
      // Until the round has ended nothing follows it: one that fails is begun again from what the last one left.
      reader.expected = undefined;
      return {
        holdsBack: clock() < reader.heldBackUntil,
        end: () => {
          rounds++;
          return (reader.expected = `${process}/${rounds}`);
        },
      };
    },
  };
}
