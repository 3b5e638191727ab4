import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '#domain/instant.ts';
import type { Violation } from '#domain/violation.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { TransferError, type RecordLine } from './format.ts';

/** Where a record goes. */
export interface Place {
  readonly namespace: string;
  readonly now: Instant;
}

export type Line<Kind extends RecordLine['kind']> = RecordLine & { readonly kind: Kind };

/** Whether it is there already; throws where what is there says something else. */
export function isThere(what: string, there: object | undefined, wanted: object): boolean {
  if (there === undefined) return false;
  if (isDeepStrictEqual(there, wanted)) return true;
  throw new TransferError(`${what} is there already and says something else`);
}

export function check(violations: readonly Violation[]): void {
  if (violations.length > 0) throw new TransferError(sentenceOf(violations));
}
