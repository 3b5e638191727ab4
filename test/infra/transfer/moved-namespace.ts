import { expect } from 'chai';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { checkExport } from '#infra/transfer/check-export.ts';
import { exportNamespace } from '#infra/transfer/export-namespace.ts';
import { importNamespace, type Imported, type ImportOptions } from '#infra/transfer/import-namespace.ts';
import { readUsage } from '#infra/usage/read-usage.ts';

export async function exportTo(stores: LocalStores, directory: string, namespace: string): Promise<string> {
  const path = join(directory, `${namespace}-${process.hrtime.bigint()}.jsonl`);
  const text = exportNamespace({ ...stores, namespace, now: systemScheduler.now() });
  await pipeline(Readable.from(text), createWriteStream(path));
  return path;
}

/** A pipeline must be running. */
export async function importFrom(
  stores: LocalStores,
  path: string,
  options: Pick<ImportOptions, 'namespace'> & Partial<ImportOptions>,
): Promise<Imported> {
  const { namespace, scheduler = systemScheduler } = options;
  const file = await checkExport(path, { namespace, now: scheduler.now() });
  const { database, topics } = stores;
  return importNamespace({ database, topic: topics.api, file, skipTooOld: false, scheduler, ...options });
}

export interface UsageRange {
  readonly from: number;
  readonly to: number;
  readonly subjects: readonly string[];
}

/** Every answer to every meter that can be read: by hour and whole, by subject and group, in a zone of its own. */
export async function allUsage(
  { database }: LocalStores,
  namespace: string,
  range: UsageRange,
): Promise<string[]> {
  const answers: string[] = [];
  const [from, to] = [range.from - MICROS_PER_DAY, range.to + MICROS_PER_DAY];
  for (const { key, state, definition } of await readMeterVersions(database, namespace)) {
    if (state !== 'active') continue;
    const groupBy = Object.keys(definition.dimensions ?? {});
    for (const window of ['hour', 'day', 'none'] as const)
      for (const by of groupBy.length > 0 ? [[], groupBy] : [[]]) {
        const asked = { namespace, meter: key, subjects: range.subjects, from, to, window, groupBy: by };
        const { rows } = await readUsage(database, { ...asked, timezone: 'Asia/Kathmandu' });
        answers.push(JSON.stringify([key, window, by, rows]));
      }
  }
  return answers;
}

export async function expectSameUsage(
  stores: LocalStores,
  namespaces: [string, string],
  range: UsageRange,
): Promise<void> {
  const [source, target] = await Promise.all(namespaces.map((each) => allUsage(stores, each, range)));
  for (const [place, answer] of source!.entries()) expect(target![place]).to.equal(answer);
  expect(target).to.have.length(source!.length);
}
