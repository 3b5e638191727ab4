import type { Database } from '#infra/database/database.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { RuleError } from '#infra/rule-error.ts';
import type { Topic } from '#infra/topic/topic.ts';
import { importAttributes } from '#infra/usage/feed.ts';
import { tooOldText, type CheckedExport } from './check-export.ts';
import type { Epoch } from './epochs.ts';
import { isEventLine } from './event-line.ts';
import { lineError, readRecord, TransferError } from './format.ts';
import { importMeters } from './import-meters.ts';
import { importRecord } from './import-record.ts';
import { eventsOfEpoch, type EventSource } from './imported-events.ts';
import { readLines, textOf } from './read-lines.ts';

export interface ImportOptions {
  readonly database: Database;
  /** The topic that names the namespace of each message. A pipeline must be running on it: the import waits for its commits. */
  readonly topic: Pick<Topic, 'publish' | 'oldestUnacknowledged'>;
  readonly file: CheckedExport;
  readonly namespace: string;
  /** Leaves out what is older than the horizon, instead of refusing the whole file. */
  readonly skipTooOld: boolean;
  readonly scheduler: Scheduler;
  /** Of so many events it is known that they are on their way or there before, then that they count. */
  readonly onProgress?: (stage: 'brought' | 'counted', events: number) => void;
}

/** What an import did, in events of its file. */
export interface Imported {
  /** Published by this run; the others were there before. */
  readonly published: number;
  /** In the namespace now, with what they say. */
  readonly counted: number;
  /** Were voided in the namespace before: they stay so. */
  readonly voided: number;
  readonly tooOld: number;
  /** Not counted as they should be, the first of them by their lines, with the reason. */
  readonly faults: readonly string[];
  readonly faulty: number;
}

const COMMIT_POLL_MS = 50;
const FAULTS_SHOWN = 10;

/**
 * Takes a checked file into a namespace. Events are published and counted by the pipeline; the meters change between them where they did
 * so where the file comes from. Broken off, it is run again: what is there already is left alone. Throws `TransferError` where events are
 * too old and not to be skipped (nothing is changed then), or where the namespace holds something else under the same name.
 */
export async function importNamespace(options: ImportOptions): Promise<Imported> {
  const { file, scheduler, skipTooOld } = options;
  const now = scheduler.now();
  if (file.tooOld > 0 && !skipTooOld)
    throw new TransferError(`${tooOldText(file, now)}. Nothing was changed`);
  const work: Work = { ...options, now };
  const done: Done = { passed: 0, published: 0 };
  for (const epoch of file.epochs) {
    await changeMeters(work, epoch);
    const before = done.published;
    await publishEpoch(work, epoch, done);
    // What was published so far is to be counted by the meters of now, not by those of the next epoch.
    if (done.published > before) await waitForCommits(work);
  }
  await importRecords(work);
  return { published: done.published, tooOld: file.tooOld, ...(await verify(work)) };
}

type Work = ImportOptions & EventSource;

/** Events that were looked at, and those of them that were published. */
interface Done {
  passed: number;
  published: number;
}

async function changeMeters({ database, file, namespace }: Work, { since }: Epoch): Promise<void> {
  const made = file.meters.filter((meter) => meter.since === since);
  const ended = file.meters.filter((meter) => meter.until === since);
  if (made.length + ended.length > 0)
    await database.transact((tx) => importMeters(tx, { namespace, made, ended }));
}

/** Publishes the events of an epoch that are not there yet. */
async function publishEpoch(work: Work, epoch: Epoch, done: Done): Promise<void> {
  const { topic, namespace, onProgress } = work;
  for await (const batch of eventsOfEpoch(work, epoch)) {
    const missing = batch.filter(({ row, event }) => row?.digest !== event.digest);
    await topic.publish(
      missing.map(({ bytes, publishedAt }) => ({
        data: bytes,
        attributes: importAttributes(namespace, publishedAt),
      })),
    );
    done.published += missing.length;
    done.passed += batch.length;
    onProgress?.('brought', done.passed);
  }
}

/** Until everything is committed that was published before now. */
async function waitForCommits({ topic, scheduler }: Work): Promise<void> {
  const published = await topic.oldestUnacknowledged();
  if (published === 'unknown') throw new TransferError('the topic cannot tell what is committed');
  for (;;) {
    const seen = await topic.oldestUnacknowledged();
    // Messages of that very moment are among those published.
    if (seen !== 'unknown' && (seen.oldest === undefined || seen.oldest > published.at)) return;
    await scheduler.sleep(COMMIT_POLL_MS);
  }
}

/** Everything but meters and events, in the order of the file, one transaction each. */
async function importRecords({ database, file, namespace, now }: Work): Promise<void> {
  for await (const line of readLines(file.path)) {
    if (line.number === 1) continue;
    const text = textOf(line);
    if (isEventLine(text) || text.startsWith('{"kind":"trailer"')) return;
    const record = readRecord(line.number, text);
    if (record.kind === 'meter') continue;
    try {
      await database.transact((tx) => importRecord(tx, { namespace, now }, record));
    } catch (error) {
      if (error instanceof TransferError || error instanceof RuleError)
        throw lineError(line.number, error.message);
      throw error;
    }
  }
}

type Verified = Pick<Imported, 'counted' | 'voided' | 'faults' | 'faulty'>;

/** Looks for the row of every event: nothing is taken for imported that is not. */
async function verify(work: Work): Promise<Verified> {
  let [counted, voided, faulty] = [0, 0, 0];
  const faults: string[] = [];
  for (const epoch of work.file.epochs)
    for await (const batch of eventsOfEpoch(work, epoch)) {
      for (const { line, row, event } of batch) {
        if (row?.digest === event.digest && row.state === 'live') counted++;
        else if (row?.state === 'void') voided++;
        else {
          faulty++;
          if (faults.length < FAULTS_SHOWN)
            faults.push(lineError(line, row === undefined ? MISSING : OTHER).message);
        }
      }
      work.onProgress?.('counted', counted + voided + faulty);
    }
  return { counted, voided, faults, faulty };
}

const MISSING = 'was not counted: look for it among the dead letters of the namespace';
const OTHER = 'the namespace has an event of this source and id that says something else';
