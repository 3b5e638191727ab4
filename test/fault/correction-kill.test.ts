import { expect } from 'chai';
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCatalogues } from '#infra/catalogue/catalogues.ts';
import { correction } from '#infra/corrections/tables.ts';
import { stagedImport } from '#infra/imports/tables.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { correctedEvent, usageDay, usageHour } from '#infra/usage/tables.ts';
import { eventually } from '#test/support/eventually.ts';
import { inLocalDirectory, NAMESPACE, openStores, saveMeters } from '#test/support/local-stores.ts';

const EVENTS = 4_000;
const ROOT = join(import.meta.dirname, '../..');
const METERS = {
  tokens: { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v', dimensions: { model: 'm' } },
  most: { name: 'Most', eventType: 'use', aggregation: 'max', value: 'v' },
} as const;

const now = systemScheduler.now();
const HOUR_MS = 3_600_000;

/** Events over some hours, of a few subjects. */
const eventAt = (i: number, before: number) => ({
  specversion: '1.0',
  id: `e-${i}`,
  source: 'urn:kill',
  type: 'use',
  subject: `s-${i % 7}`,
  time: new Date(now / 1_000 - before + i * 3_000).toISOString(),
  data: { v: `${(i % 13) + 1}`, m: `m${i % 3}` },
});

async function commitAll(stores: LocalStores): Promise<void> {
  const { database } = stores;
  const context = {
    database,
    catalogues: createCatalogues(database),
    feed: 'usage',
    slot: 0,
    clock: systemScheduler.now,
  };
  for (let at = 0; at < EVENTS; at += 1_000) {
    const deliveries = Array.from({ length: 1_000 }, (_, i) =>
      parseDelivery(
        { kind: 'fixed', namespace: NAMESPACE },
        {
          id: `m-${at + i}`,
          data: Buffer.from(JSON.stringify(eventAt(at + i, 5 * HOUR_MS))),
          attributes: {},
          publishTime: now,
          attempt: 1,
          ackId: '',
        },
      ),
    );
    await appendEventRows(stores, eventRowsOf(await commitDeliveries(context, deliveries)));
  }
}

function start(directory: string, script: string, args: readonly string[]): ChildProcess {
  const program = ['--disable-warning=ExperimentalWarning', join(ROOT, 'scripts/operator', script), ...args];
  return spawn(process.execPath, program, {
    env: { ...process.env, MILLRACE_DATA_DIR: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

async function run(directory: string, script: string, args: readonly string[]): Promise<void> {
  const child = start(directory, script, args);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code, said).to.equal(0);
}

/** Kills a process as soon as something is true, in the middle of its work. */
async function killOnce(child: ChildProcess, isTrue: () => Promise<boolean>): Promise<void> {
  const exited = once(child, 'exit');
  await eventually('it is in the middle of its work', isTrue);
  child.kill('SIGKILL');
  await exited;
}

const cells = async ({ database }: LocalStores): Promise<unknown[]> => [
  await Array.fromAsync(database.scan(usageHour, { prefix: [NAMESPACE] }), (row) => ({
    ...row,
    dirty: false,
  })),
  await Array.fromAsync(database.scan(usageDay, { prefix: [NAMESPACE] })),
];

const shown = async ({ warehouse }: LocalStores): Promise<number> => {
  const range = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z', aggregation: 'count' };
  const [row] = await Array.fromAsync(warehouse.query('usage_by_window', { namespace: NAMESPACE, ...range }));
  return Number(row?.['events'] ?? 0);
};

const onlyCorrection = async ({ database }: LocalStores) =>
  (await Array.fromAsync(database.scan(correction, { prefix: [NAMESPACE] })))[0];
const onlyImport = async ({ database }: LocalStores) =>
  (await Array.fromAsync(database.scan(stagedImport, { prefix: [NAMESPACE] })))[0];

/** As if the lease of the killed one had ended. */
async function endLease(stores: LocalStores): Promise<void> {
  await stores.database.transact(async (tx) => {
    for await (const row of tx.scan(correction, { prefix: [NAMESPACE] }))
      tx.upsert(correction, { ...row, leaseUntil: 0 });
    for await (const row of tx.scan(stagedImport, { prefix: [NAMESPACE] }))
      tx.upsert(stagedImport, { ...row, leaseUntil: 0 });
  });
}

describe('a process that is killed while it corrects', function () {
  this.timeout(120_000);

  it('is followed by another that changes each event once; undone, also with a kill, everything is as it was', () =>
    inLocalDirectory(async (directory) => {
      const stores = await openStores(directory);
      try {
        await saveMeters(stores, METERS);
        await commitAll(stores);
        const before = await cells(stores);
        const range = [
          '--from',
          new Date(now / 1_000 - 6 * HOUR_MS).toISOString(),
          '--to',
          new Date(now / 1_000 + HOUR_MS).toISOString(),
        ];
        const reason = ['--reason', 'a test'];
        await killOnce(start(directory, 'void.ts', [...range, '--apply', '--yes', ...reason]), async () => {
          const { changed = 0 } = (await onlyCorrection(stores))?.counts ?? {};
          return changed > 0;
        });
        const cut = await onlyCorrection(stores);
        expect(cut?.counts.changed).to.be.within(1, EVENTS - 1);
        await endLease(stores);
        await run(directory, 'void.ts', ['--resume']);
        expect((await onlyCorrection(stores))?.counts).to.include({ changed: EVENTS, already: 0 });
        expect(await shown(stores)).to.equal(0);
        await killOnce(start(directory, 'void.ts', ['--undo', cut!.id, ...reason]), async () => {
          const { undone = 0 } = (await onlyCorrection(stores))?.counts ?? {};
          return undone > 0;
        });
        await endLease(stores);
        await run(directory, 'void.ts', ['--resume']);
        expect((await onlyCorrection(stores))?.counts).to.include({ undone: EVENTS, superseded: 0 });
        expect(await shown(stores)).to.equal(EVENTS);
        expect(await cells(stores)).to.deep.equal(before);
        const left = await Array.fromAsync(stores.database.scan(correctedEvent, { prefix: [NAMESPACE] }));
        expect(left.every(({ state }) => state === 'live')).to.equal(true);
      } finally {
        await stores.close();
      }
    }));
});

describe('a process that is killed while it imports', function () {
  this.timeout(120_000);

  it('is followed by another, and each event counts once', () =>
    inLocalDirectory(async (directory) => {
      const stores = await openStores(directory);
      try {
        await saveMeters(stores, METERS);
        const file = join(directory, 'old.ndjson');
        const lines = Array.from({ length: EVENTS }, (_, i) =>
          JSON.stringify(eventAt(i, 600 * 24 * HOUR_MS)),
        );
        await writeFile(file, lines.join('\n'));
        const args = ['--events', file, '--apply', '--yes', '--reason', 'a test'];
        await killOnce(start(directory, 'import.ts', args), async () => {
          const { accepted = 0 } = (await onlyImport(stores))?.counts ?? {};
          return accepted > 0;
        });
        expect((await onlyImport(stores))?.counts.accepted).to.be.within(1, EVENTS);
        await endLease(stores);
        await run(directory, 'import.ts', ['--resume']);
        expect(await onlyImport(stores)).to.include({ state: 'applied' });
        expect((await onlyImport(stores))?.counts).to.include({ accepted: EVENTS, duplicates: 0 });
        expect(await shown(stores)).to.equal(EVENTS);
        const before = await cells(stores);
        await run(directory, 'import.ts', ['--undo', (await onlyImport(stores))!.id, '--reason', 'a test']);
        expect(await shown(stores)).to.equal(0);
        expect(await cells(stores)).to.not.deep.equal(before);
      } finally {
        await stores.close();
      }
    }));
});
