/** What is recorded: a closed list, extended deliberately and only here. The part before the dot is the kind of its target. */
export const AUDIT_ACTIONS = [
  'event.void',
  'event.restore',
  'event.amend',
  'correction.create',
  'correction.cancel',
  'correction.undo',
  'import.create',
  'import.apply',
  'import.cancel',
  'import.undo',
  'meter.backfill',
  'meter.activate',
  'meter.revert',
  'reconciliation.create',
  'reconciliation.repair',
  'parked_append.append',
  'parked_append.discard',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];
