import type { Reads } from '#infra/database/database.ts';
import { auditEntry, type AuditEntry } from './tables.ts';

export interface AuditQuestion {
  /** Only the entries of one thing. */
  readonly of?: { readonly targetKind: string; readonly target: string } | undefined;
  /** The id of the last entry of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Entries, the newest first. */
export function listAuditEntries(
  from: Reads,
  namespace: string,
  { of, before, limit }: AuditQuestion,
): Promise<AuditEntry[]> {
  const to = before === undefined ? {} : { to: before };
  const rows =
    of === undefined
      ? from.scan(auditEntry, { prefix: [namespace], ...to }, { reverse: true, limit })
      : from.scan(
          auditEntry,
          { prefix: [namespace, of.targetKind, of.target], ...to },
          { index: 'byTarget', reverse: true, limit },
        );
  return Array.fromAsync(rows);
}
