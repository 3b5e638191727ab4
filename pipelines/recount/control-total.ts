import { hash } from 'node:crypto';
import {
  addFingerprint,
  emptyFingerprint,
  fingerprintOf,
  fingerprintToHash,
} from '#domain/metering/fingerprint.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import type { Hash128 } from '#domain/metering/hash128.ts';
import { TOTAL_VIEW } from '#domain/metering/batch.ts';
import type { Recounted, SubjectRecount } from './recounted.ts';

/**
 * What a subject's day comes to before it is cut up, shuffled and folded, told by whoever has read it: where its cells are judged and written,
 * the same must have arrived. Sums, so that several add up to one. Plain data.
 */
export interface ControlTotal {
  /** In how many pieces it was told, and the sum of the hashes of whom each is about. */
  readonly pieces: number;
  readonly names: Hash128;
  /** The fingerprint of the events in the cells of the total, and of those in the cells of groups. */
  readonly total: Hash128;
  readonly groups: Hash128;
  /** How often a distinct value was named. */
  readonly references: number;
  readonly unmeasured: number;
}

/** A control total while it is added to. */
export interface Controlled {
  readonly total: ReturnType<typeof emptyFingerprint>;
  readonly groups: ReturnType<typeof emptyFingerprint>;
  references: number;
  unmeasured: number;
}

export const nothingControlled = (): Controlled => ({
  ...{ total: emptyFingerprint(), groups: emptyFingerprint() },
  ...{ references: 0, unmeasured: 0 },
});

/** Adds what a piece of a cell or value comes to, or an event that could not be measured. */
export function addRecounted(into: Controlled, recounted: Recounted): void {
  if (recounted.kind === 'hour')
    addFingerprint(
      recounted.view === TOTAL_VIEW ? into.total : into.groups,
      fingerprintOf(recounted.cell.fingerprint),
    );
  else if (recounted.kind === 'value') into.references += unpackMinutes(recounted.minutes).references;
  else if (recounted.kind === 'unmeasured') into.unmeasured++;
}

/** As it is told of a subject, in one piece. */
export const toldOf = (
  subject: string,
  { total, groups, references, unmeasured }: Controlled,
): ControlTotal => ({
  ...{ pieces: 1, names: hash('md5', subject, 'binary') },
  ...{ total: fingerprintToHash(total), groups: fingerprintToHash(groups) },
  ...{ references, unmeasured },
});

/** The sum of two fingerprints as they cross the wire. */
export function sumOf(a: Hash128, b: Hash128): Hash128 {
  const sum = fingerprintOf(a);
  addFingerprint(sum, fingerprintOf(b));
  return fingerprintToHash(sum);
}

export const bothTold = (a: ControlTotal | undefined, b: ControlTotal): ControlTotal =>
  a === undefined
    ? b
    : {
        pieces: a.pieces + b.pieces,
        names: sumOf(a.names, b.names),
        total: sumOf(a.total, b.total),
        groups: sumOf(a.groups, b.groups),
        references: a.references + b.references,
        unmeasured: a.unmeasured + b.unmeasured,
      };

/** Whether everything that was told of a subject's day is in what has arrived, and nothing else. Never, where nothing was told of it. */
export function isWhole({ hours, values, unmeasured, control }: SubjectRecount): boolean {
  if (control === undefined) return false;
  const arrived = nothingControlled();
  for (const each of hours) addRecounted(arrived, each);
  for (const each of values) addRecounted(arrived, each);
  return (
    fingerprintToHash(arrived.total) === control.total &&
    fingerprintToHash(arrived.groups) === control.groups &&
    arrived.references === control.references &&
    unmeasured === control.unmeasured
  );
}
