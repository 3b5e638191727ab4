import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { v7 as uuidV7 } from 'uuid';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { IMPORT_PARTS_MAX } from '#domain/limits.ts';
import type { AuditAction } from '#infra/audit/actions.ts';
import { writeAuditEntry, type AuditOrigin } from '#infra/audit/write-audit-entry.ts';
import { createCorrection } from '#infra/corrections/corrections.ts';
import type { PreparedCorrection } from '#infra/corrections/prepare-correction.ts';
import type { CorrectionRow } from '#infra/corrections/tables.ts';
import type { Database, Reads, Transaction } from '#infra/database/database.ts';
import { commitTimestamp } from '#infra/database/table.ts';
import { ImportError } from './errors.ts';
import { readPart } from './read-part.ts';
import {
  importPart,
  importPartLines,
  NOTHING_IMPORTED,
  openImport,
  REFUSED_LINES_NAMED_MAX,
  stagedImport,
  type ImportName,
  type ImportPartRow,
  type ImportRow,
  type ImportSpan,
  type ImportState,
  type RefusedLine,
} from './tables.ts';

/** Begins an import, which takes parts from then on. */
export function createImport(tx: Transaction, namespace: string, origin: AuditOrigin): ImportRow {
  const { now, reason, principal } = origin;
  const id = uuidV7({ msecs: Math.floor(now / MICROS_PER_MILLI) });
  const row: ImportRow = {
    ...{ namespace, id, reason, principal },
    state: 'staging',
    skipRefused: false,
    counts: NOTHING_IMPORTED,
    refused: [],
    position: null,
    untoldFrom: null,
    committedAt: null,
    fault: null,
    undoneBy: null,
    worker: null,
    leaseUntil: null,
    createdAt: now,
    changedAt: commitTimestamp,
    finishedAt: null,
  };
  tx.insert(stagedImport, row);
  record(tx, { action: 'import.create', namespace: row.namespace, id: row.id }, origin);
  return row;
}

/** Throws `ImportError` `import_not_found`. */
export async function requireImport(
  from: Pick<Reads, 'read'>,
  { namespace, id }: ImportName,
): Promise<ImportRow> {
  const [row] = await from.read(stagedImport, [[namespace, id]]);
  if (row === undefined) throw new ImportError('import_not_found', `there is no import ${id}`);
  return row;
}

/** A part that was read and compressed, ready to be stored. */
export interface PreparedPart {
  readonly row: ImportPartRow;
  readonly lines: Uint8Array;
}

const compress = promisify(gzip);
/** Compressing fast is what matters: parts live for hours. */
const COMPRESSION = { level: 1 };
/** Between so many lines whatever waits in this process has its turn. */
const LINES_PER_TURN = 500;

/** Reads a part: every line that is refused is counted, and the first are named. Throws `ImportError`. */
export async function preparePart(
  database: Database,
  { part, ...name }: ImportName & { readonly part: number },
  bytes: Uint8Array,
  breathe?: () => Promise<void>,
): Promise<PreparedPart> {
  const { namespace, id, createdAt } = await requireImport(database, name);
  if (!Number.isSafeInteger(part) || part < 1 || part > IMPORT_PARTS_MAX)
    throw new ImportError('invalid_import', `a part is numbered from 1 to ${IMPORT_PARTS_MAX}`);
  const refused: RefusedLine[] = [];
  let [events, refusedLines] = [0, 0];
  let span: ImportSpan | undefined;
  for (const read of readPart({ namespace, id, createdAt }, bytes)) {
    if ('refusal' in read) {
      refusedLines++;
      if (refused.length < REFUSED_LINES_NAMED_MAX) refused.push({ part, line: read.line, ...read.refusal });
    } else {
      events++;
      span = including(span, read.delivery.event.time);
    }
    if (read.line % LINES_PER_TURN === 0) await breathe?.();
  }
  const hash = createHash('sha256').update(bytes).digest('hex');
  const counts = { bytes: bytes.length, events, refusedLines, refused };
  const times = { from: span?.from ?? null, through: span?.through ?? null };
  const row = { namespace, import: id, part, hash, ...counts, ...times };
  return { row, lines: await compress(bytes, COMPRESSION) };
}

const including = (span: ImportSpan | undefined, time: number): ImportSpan => ({
  from: Math.min(span?.from ?? time, time),
  through: Math.max(span?.through ?? time, time),
});

/** Stores a part, in the place of one of the same number. Throws `ImportError` `import_not_possible` once the import is past staging. */
export async function putPart(tx: Transaction, { row, lines }: PreparedPart): Promise<ImportPartRow> {
  const staged = await requireImport(tx, { namespace: row.namespace, id: row.import });
  checkState(staged, ['staging'], 'given more parts');
  tx.upsert(importPart, row);
  tx.upsert(importPartLines, { namespace: row.namespace, import: row.import, part: row.part, lines });
  return row;
}

/** An import with what its parts have. */
export interface StagedImport {
  readonly row: ImportRow;
  readonly parts: number;
  readonly events: number;
  readonly bytes: number;
  /** Lines that the parser refuses. */
  readonly refusedLines: number;
  /** The first lines that are refused, by the parser or by the meters. */
  readonly refused: readonly RefusedLine[];
  readonly span: ImportSpan | null;
}

export async function readImport(from: Reads, name: ImportName): Promise<StagedImport> {
  return withParts(from, await requireImport(from, name));
}

async function withParts(from: Reads, row: ImportRow): Promise<StagedImport> {
  let [parts, events, bytes, refusedLines] = [0, 0, 0, 0];
  let span: ImportSpan | undefined;
  const refused = [...row.refused];
  for await (const part of from.scan(importPart, { prefix: [row.namespace, row.id] })) {
    parts++;
    events += part.events;
    bytes += part.bytes;
    refusedLines += part.refusedLines;
    refused.push(...part.refused.slice(0, Math.max(REFUSED_LINES_NAMED_MAX - refused.length, 0)));
    if (part.from !== null) span = including(span, part.from);
    if (part.through !== null) span = including(span, part.through);
  }
  return { row, parts, events, bytes, refusedLines, refused, span: span ?? null };
}

/** Imports, the newest first; `before` is the id of the last one of the page before. */
export async function listImports(
  from: Reads,
  namespace: string,
  { before, limit }: { readonly before?: string | undefined; readonly limit: number },
): Promise<StagedImport[]> {
  const range = { prefix: [namespace], ...(before === undefined ? {} : { to: before }) };
  const rows = await Array.fromAsync(from.scan(stagedImport, range, { reverse: true, limit }));
  return Promise.all(rows.map((row) => withParts(from, row)));
}

/** Those of a namespace, or of all of them, that somebody has to work on. */
export const openImports = (from: Reads, namespace?: string): Promise<ImportName[]> =>
  Array.fromAsync(from.scan(openImport, { prefix: namespace === undefined ? [] : [namespace] }), (row) => ({
    namespace: row.namespace,
    id: row.import,
  }));

/**
 * Asks to count what was staged: whoever works on imports takes it up. One that is on its way, or done, stays as it is. Throws `ImportError`:
 * `import_has_violations` where lines are refused and not to be skipped, and `import_not_possible`.
 */
export async function applyImport(
  tx: Transaction,
  { skipRefused, ...name }: ImportName & { readonly skipRefused: boolean },
  origin: AuditOrigin,
): Promise<ImportRow> {
  const staged = await readImport(tx, name);
  const { row, refusedLines } = staged;
  if (row.state !== 'staging' && row.state !== 'canceled') return row;
  checkState(row, ['staging'], 'applied');
  if (refusedLines > 0 && !skipRefused)
    throw new ImportError(
      'import_has_violations',
      `${refusedLines} lines are refused: nothing is imported unless they are skipped`,
      staged.refused.map(({ part, line, code, detail }) => ({
        pointer: `/parts/${part}/lines/${line}`,
        code,
        message: detail,
      })),
    );
  record(
    tx,
    {
      action: 'import.apply',
      namespace: row.namespace,
      id: row.id,
      details: { events: staged.events, skipRefused },
    },
    origin,
  );
  return open(tx, { ...row, state: 'checking', skipRefused, fault: null });
}

/** Lets an import go that was not applied; one that is being applied ends where it is. What it has counted stays, until it is undone. */
export async function cancelImport(
  tx: Transaction,
  name: ImportName,
  origin: AuditOrigin,
): Promise<ImportRow> {
  const row = await requireImport(tx, name);
  if (row.state === 'canceled' || row.state === 'clearing') return row;
  checkState(row, ['staging', 'checking', 'applying'], 'canceled');
  record(tx, { action: 'import.cancel', namespace: row.namespace, id: row.id }, origin);
  return open(tx, { ...row, state: 'clearing' });
}

/**
 * Asks to take back all that an import has counted: a correction, which can be undone like any other. Asked again, it is the same one. Throws
 * `ImportError` `import_not_possible` while the import goes on.
 */
export async function undoImport(
  tx: Transaction,
  name: ImportName,
  { origin, prepared }: { readonly origin: AuditOrigin; readonly prepared: PreparedCorrection },
): Promise<CorrectionRow | string> {
  const row = await requireImport(tx, name);
  if (row.undoneBy !== null) return row.undoneBy;
  checkState(row, ['applied', 'canceled'], 'undone');
  const made = createCorrection(tx, prepared, origin);
  tx.upsert(stagedImport, { ...row, undoneBy: made.id, changedAt: commitTimestamp });
  record(
    tx,
    { action: 'import.undo', namespace: row.namespace, id: row.id, details: { correction: made.id } },
    origin,
  );
  return made;
}

function open(tx: Transaction, row: ImportRow): ImportRow {
  tx.upsert(stagedImport, { ...row, changedAt: commitTimestamp });
  tx.upsert(openImport, { namespace: row.namespace, import: row.id });
  return row;
}

function checkState({ id, state }: ImportRow, possible: readonly ImportState[], what: string): void {
  if (possible.includes(state)) return;
  throw new ImportError('import_not_possible', `import ${id} is ${state} and cannot be ${what}`);
}

interface Recorded extends ImportName {
  readonly action: AuditAction;
  readonly details?: Readonly<Record<string, unknown>>;
}

const record = (tx: Transaction, { id, ...entry }: Recorded, origin: AuditOrigin): string =>
  writeAuditEntry(tx, { ...entry, ...origin, target: id });
