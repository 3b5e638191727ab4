import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startMeasuring, type Measured } from './measure.ts';
import type { Workload } from './workload.ts';

const EVENTS_PER_TRANSACTION = 10_000;
const MILLIS_PER_HOUR = 3_600_000;

interface Line {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: { readonly tokens: number };
}

/**
 * What a user would write instead: parse, one durable transaction per 10,000 events, `INSERT OR IGNORE` of the event by (source, id), an
 * upsert per meter, subject and hour. No conflicts, no minutes, no warehouse, no watermark, no dead letters.
 */
export function runHandWrittenLoop(directory: string, { lines, tokens }: Workload): Measured {
  const path = join(directory, 'loop.db');
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE event(source TEXT, id TEXT, type TEXT, subject TEXT, time INTEGER, tokens INTEGER, PRIMARY KEY(source, id)) WITHOUT ROWID;
    CREATE TABLE usage(meter TEXT, subject TEXT, hour INTEGER, value INTEGER, PRIMARY KEY(meter, subject, hour)) WITHOUT ROWID;`);
  const insert = database.prepare('INSERT OR IGNORE INTO event VALUES(?, ?, ?, ?, ?, ?)');
  const add = database.prepare(
    'INSERT INTO usage VALUES(?, ?, ?, ?) ON CONFLICT(meter, subject, hour) DO UPDATE SET value = value + excluded.value',
  );
  const stop = startMeasuring();
  for (let at = 0; at < lines.length; at += EVENTS_PER_TRANSACTION) {
    database.exec('BEGIN IMMEDIATE');
    for (const line of lines.slice(at, at + EVENTS_PER_TRANSACTION)) {
      const { id, source, type, subject, time, data } = JSON.parse(line) as Line;
      const millis = Date.parse(time);
      if (insert.run(source, id, type, subject, millis, data.tokens).changes === 0) continue;
      const hour = Math.floor(millis / MILLIS_PER_HOUR);
      add.run('tokens', subject, hour, data.tokens);
      add.run('requests', subject, hour, 1);
    }
    database.exec('COMMIT');
  }
  const measured = stop();
  const total = database.prepare(`SELECT sum(value) AS total FROM usage WHERE meter = 'tokens'`).get();
  if (BigInt(String(total?.['total'])) !== tokens) throw new Error('the hand-written loop miscounted');
  database.close();
  return measured;
}
