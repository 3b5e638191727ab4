import type { Instant } from '../instant.ts';
import { API_KEY_NAME_BYTES_MAX } from '../limits.ts';
import { checkPrintable, type Violation } from '../violation.ts';
import { isScope, SCOPES } from './scope.ts';

/** What is asked of a new key, before it was judged. */
export interface KeyRequest {
  readonly name: string;
  readonly scopes: readonly string[];
  /** From when on it is not valid any more; null: for good. */
  readonly expiresAt: Instant | null;
}

/** All that is wrong with it, at once; empty when the key can be made. */
export function checkKeyRequest({ name, scopes, expiresAt }: KeyRequest, now: Instant): Violation[] {
  return [
    ...checkPrintable('/name', name, API_KEY_NAME_BYTES_MAX),
    ...(scopes.length === 0
      ? [{ pointer: '/scopes', code: 'empty', message: 'a key without scopes could do nothing' }]
      : []),
    ...scopes.flatMap((scope, index) => checkScope(scope, index, scopes)),
    ...(expiresAt !== null && expiresAt <= now
      ? [{ pointer: '/expiresAt', code: 'in_the_past', message: 'lies in the past' }]
      : []),
  ];
}

function checkScope(scope: string, index: number, scopes: readonly string[]): Violation[] {
  const pointer = `/scopes/${index}`;
  if (!isScope(scope)) return [{ pointer, code: 'unknown_scope', message: `is one of ${SCOPES.join(', ')}` }];
  return scopes.indexOf(scope) === index
    ? []
    : [{ pointer, code: 'duplicate', message: `${scope} is there already` }];
}
