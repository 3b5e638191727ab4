import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Database } from '#infra/database/database.ts';
import { readPart, type ReadLine } from './read-part.ts';
import { importPart, importPartLines, type ImportRow, type LinePosition } from './tables.ts';

const decompress = promisify(gunzip);

/** A line that is an event, with the place after it. */
export type StagedEvent = Extract<ReadLine, { readonly delivery: object }> & {
  readonly part: number;
  readonly next: LinePosition;
};

/** The events of an import from a position on, part by part. */
export async function* stagedEvents(
  database: Pick<Database, 'read' | 'scan'>,
  row: Pick<ImportRow, 'namespace' | 'id' | 'createdAt'>,
  from: LinePosition | null,
): AsyncGenerator<readonly StagedEvent[], void, undefined> {
  const { namespace, id } = row;
  const range = { prefix: [namespace, id], from: from?.part ?? 0 };
  const parts = await Array.fromAsync(database.scan(importPart, range), ({ part }) => part);
  for (const part of parts) {
    const [stored] = await database.read(importPartLines, [[namespace, id, part]]);
    if (stored === undefined) throw new Error(`part ${part} of the import ${id} is gone`);
    const first = part === from?.part ? from.line : 1;
    const events: StagedEvent[] = [];
    for (const read of readPart(row, await decompress(stored.lines)))
      if ('delivery' in read && read.line >= first)
        events.push({ ...read, part, next: { part, line: read.line + 1 } });
    if (events.length > 0) yield events;
  }
}
