import type { Instant } from '#domain/instant.ts';
import { AlreadyExists, NotFound } from '#infra/database/errors.ts';
import type { Connection } from '#infra/database/sqlite/connection.ts';
import type { StoredRow } from '#infra/database/field.ts';
import type { Mutation } from '#infra/database/sqlite/table-store.ts';
import type { Key, KeyPart } from '#infra/database/table.ts';
import { putEntry } from './entry.ts';
import { fold, isFoldDue } from './fold.ts';
import { beginRound, find, takeIn } from './held.ts';
import type { Held } from './held.ts';

interface Commit {
  readonly connection: Connection;
  readonly committedAt: Instant;
}

/**
 * Appends what a transaction writes to the log; once there is much in it, what it held before goes to the rows. Both in the transaction
 * of the connection; the function returned lets memory know.
 */
export function applyMutations(held: Held, commit: Commit, mutations: readonly Mutation[]): () => void {
  const { connection } = commit;
  const { of } = held;
  const pieces = packChanges(held, commit, mutations);
  const folds = isFoldDue(held);
  if (folds) fold(held, connection);
  const insert = connection.statement(`INSERT INTO ${of.log} (sequence, changes) VALUES (?, ?)`);
  pieces.forEach((changes, i) => insert.run([held.next + i, changes]));
  const first = folds ? held.next : held.first;
  connection.statement(`UPDATE ${of.extent} SET first = ?, next = ?`).run([first, held.next + pieces.length]);
  return () => {
    if (folds) beginRound(held, first);
    for (const changes of pieces) takeIn(held, connection, changes);
  };
}

/** The changes in pieces of about `entryBytes`, which stay as they are until the next call. */
function packChanges(held: Held, commit: Commit, mutations: readonly Mutation[]): Uint8Array<ArrayBuffer>[] {
  const { committedAt } = commit;
  const { changes: log } = held;
  const change = changeOf(held, commit, mutations);
  const ends: number[] = [];
  log.at = 0;
  let start = 0;
  for (const mutation of mutations) {
    const { key, row } = change(mutation);
    putEntry(log, held.of, key, { row, committedAt });
    if (log.at - start < held.bounds.entryBytes) continue;
    ends.push(log.at);
    start = log.at;
  }
  if (log.at > start) ends.push(log.at);
  return ends.map((end, i) => log.bytes.subarray(ends[i - 1] ?? 0, end));
}

interface Change {
  readonly key: Key;
  /** Undefined where it is deleted. */
  readonly row: StoredRow | undefined;
}

/** What a mutation leaves under its key. Mutations count in their order, so that a later one sees what an earlier one did. */
function changeOf(
  held: Held,
  commit: Commit,
  mutations: readonly Mutation[],
): (mutation: Mutation) => Change {
  const { of } = held;
  const plain = (mutation: Mutation): Change =>
    mutation.kind === 'delete'
      ? { key: mutation.key, row: undefined }
      : { key: keyOf(of.table.key, mutation.row), row: mutation.row };
  // Only these depend on what was there before.
  if (!mutations.some(({ kind }) => kind === 'insert' || kind === 'update')) return plain;
  const written = new Map<string, StoredRow | undefined>();
  return (mutation) => {
    const { key, row } = plain(mutation);
    const name = JSON.stringify(key);
    const before = written.has(name) ? written.get(name) : find(held, commit.connection, key);
    if (mutation.kind === 'insert' && before !== undefined)
      throw new AlreadyExists(`${of.name}: ${name} exists already`);
    if (mutation.kind === 'update' && before === undefined)
      throw new NotFound(`update of ${of.name}: there is no row ${name}`);
    const after = mutation.kind === 'update' ? { ...before, ...given(mutation.row) } : row;
    written.set(name, after);
    return { key, row: after };
  };
}

/** A property that is there but undefined names no column to change. */
const given = (row: StoredRow): StoredRow =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));

function keyOf(names: readonly string[], row: StoredRow): Key {
  const key = new Array<KeyPart>(names.length);
  for (let i = 0; i < names.length; i++) key[i] = row[names[i] as string] as KeyPart;
  return key;
}
