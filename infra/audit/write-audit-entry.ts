import { v7 as uuidV7 } from 'uuid';
import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import type { Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import type { AuditAction } from './actions.ts';
import { auditEntry, type AuditDetails } from './tables.ts';

/** Who asks for a change, why, and by which clock: what every change that is recorded is given. */
export interface AuditOrigin {
  /** The id of an API key, or the name of a command, such as `command:void`. */
  readonly principal: string;
  readonly reason: string;
  readonly now: Instant;
  readonly requestId?: string | undefined;
}

export interface NewAuditEntry extends AuditOrigin {
  readonly namespace: string;
  readonly action: AuditAction;
  /** Which thing of the kind that the action names: an identity in hex, an id, a key. */
  readonly target: string;
  readonly details?: AuditDetails;
}

/**
 * Records a change in the transaction that makes it: there is no change without its entry and no entry without its change. Work that finds
 * its change already made writes none. Returns the entry's id.
 */
export function writeAuditEntry(tx: Transaction, entry: NewAuditEntry): string {
  const { namespace, action, target, principal, reason, details = {}, requestId = null, now } = entry;
  const id = uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI) });
  tx.insert(auditEntry, {
    namespace,
    id,
    at: commitTimestamp,
    principal,
    action,
    targetKind: action.slice(0, action.indexOf('.')),
    target,
    reason,
    details,
    requestId,
  });
  return id;
}
