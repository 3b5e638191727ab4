import { readdir, rm } from 'node:fs/promises';
import type { Instant } from '#domain/instant.ts';
import { syncDirectory } from './directory.ts';
import { removeLock, tryLock } from './lock.ts';
import { parseSegmentFile, segmentPath } from './segment-file.ts';
import type { TopicIndex } from './topic-index.ts';

/** Messages that were deleted although a subscription had not acknowledged them. */
export interface Dropped {
  readonly subscription: string;
  readonly messages: number;
}
export interface Retention {
  readonly deletedSegments: number;
  /** Empty unless a consumer fell behind by the whole retention. */
  readonly dropped: readonly Dropped[];
}

interface RetiredSegment {
  readonly id: number;
  readonly name: string;
  readonly producer: string;
}

/**
 * Deletes the segments in which every group was published before `horizon`. First the index forgets them, durably and for good; then
 * the files go; then the mark that kept recovery away from them. After a crash at any point the next call goes on.
 */
export async function deleteOldSegments(
  directory: string,
  index: TopicIndex,
  horizon: Instant,
): Promise<Retention> {
  const statements = prepareStatements(index);
  const dropped: Dropped[] = [];
  for (const { id } of statements.candidates.all(horizon) as unknown as { id: number }[]) {
    dropped.push(...(await index.transactDurably(() => retire(statements, id, horizon))));
  }
  const retired = statements.retired.all() as unknown as RetiredSegment[];
  if (retired.length === 0) return { deletedSegments: 0, dropped: [] };
  for (const { name } of retired) await rm(segmentPath(directory, name), { force: true });
  await syncDirectory(directory);
  await index.transact(() => retired.forEach(({ id }) => statements.forget.run(id)));
  for (const producer of new Set(retired.map((segment) => segment.producer)))
    await removeUnusedLock(directory, producer);
  return { deletedSegments: retired.length, dropped: sumBySubscription(dropped) };
}

type Statements = ReturnType<typeof prepareStatements>;
const prepareStatements = ({ database }: TopicIndex) => ({
  /** Looked for without the lock of the writers: only segments with an old group or with none come into question. */
  candidates: database.prepare(`
    SELECT DISTINCT segment AS id FROM message_group WHERE publishTime < ?
    UNION SELECT id FROM segment WHERE NOT EXISTS (SELECT 1 FROM message_group WHERE segment = segment.id)`),
  retire: database.prepare(`
    UPDATE segment SET retired = 1 WHERE id = ? AND open = 0 AND retired = 0
      AND NOT EXISTS (SELECT 1 FROM message_group WHERE segment = segment.id AND publishTime >= ?)`),
  retired: database.prepare('SELECT id, name, producer FROM segment WHERE retired = 1'),
  unread: database.prepare(`
    SELECT name AS subscription, coalesce(sum(count), 0) AS messages
    FROM subscription LEFT JOIN message_group ON segment = ? AND publishTime > cursor GROUP BY subscription.id`),
  leased: database.prepare(`
    SELECT name AS subscription, sum(size) AS messages FROM message_group JOIN lease USING (publishTime)
    JOIN subscription ON subscription.id = lease.subscription WHERE segment = ? GROUP BY subscription.id`),
  deleteLeases: database.prepare(
    'DELETE FROM lease WHERE publishTime IN (SELECT publishTime FROM message_group WHERE segment = ?)',
  ),
  deleteGroups: database.prepare('DELETE FROM message_group WHERE segment = ?'),
  forget: database.prepare('DELETE FROM segment WHERE id = ?'),
});

function retire(statements: Statements, segment: number, horizon: Instant): Dropped[] {
  // Another process may have been faster, or its producer still writes it.
  if (statements.retire.run(segment, horizon).changes === 0) return [];
  const dropped = [
    ...statements.unread.all(segment),
    ...statements.leased.all(segment),
  ] as unknown as Dropped[];
  statements.deleteLeases.run(segment);
  statements.deleteGroups.run(segment);
  return dropped.filter(({ messages }) => messages > 0);
}

function sumBySubscription(dropped: readonly Dropped[]): Dropped[] {
  const bySubscription = Map.groupBy(dropped, ({ subscription }) => subscription);
  return Array.from(bySubscription, ([subscription, parts]) => ({
    subscription,
    messages: parts.reduce((sum, part) => sum + part.messages, 0),
  }));
}

/** The lock of a producer that is gone goes with its last segment. */
async function removeUnusedLock(directory: string, producer: string): Promise<void> {
  const files = await readdir(directory);
  if (files.some((file) => parseSegmentFile(file)?.producer === producer)) return;
  const lock = tryLock(directory, producer);
  if (lock === undefined) return;
  await removeLock(directory, producer);
  lock.release();
}
