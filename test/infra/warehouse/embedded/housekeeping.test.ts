import { readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { commitTimestamp } from '#infra/database/table.ts';
import { chooseInputs, COMPACTION_ROWS_MAX, PARQUET_FAN_IN } from '#infra/warehouse/embedded/compact.ts';
import { createManifest } from '#infra/warehouse/embedded/manifest.ts';
import { newSegmentName } from '#infra/warehouse/embedded/segment-file.ts';
import { SWEEP_GRACE_MICROS } from '#infra/warehouse/embedded/sweep.ts';
import { WarehouseTooNew, WarehouseUnavailable } from '#infra/warehouse/errors.ts';
import { toWarehouseRow } from '#infra/warehouse/event-row.ts';
import { warehouseSegment, type SegmentRow } from '#infra/warehouse/segment.ts';
import { ask, eventRow, failureOf, MARCH, NOON, total } from '#test/contract/warehouse/rows.ts';
import {
  openTemporaryWarehouse,
  openWarehouseIn,
  systemClock,
  type TemporaryWarehouse,
} from './temporary.ts';

/** A clock that the test may put forward. */
const createClock = (): { now: () => number; ahead: number } => {
  const clock = { ahead: 0, now: () => systemClock() + clock.ahead };
  return clock;
};

const filesOf = async ({ directory }: TemporaryWarehouse): Promise<string[]> =>
  readdir(join(directory, 'segments'));

describe('the housekeeping of the embedded warehouse', () => {
  let clock = createClock();
  let opened: TemporaryWarehouse;

  beforeEach(async () => {
    clock = createClock();
    opened = await openTemporaryWarehouse(clock.now);
  });
  afterEach(() => opened.dispose());

  const append = (from: number, count: number): Promise<void> =>
    opened.warehouse.appendEvents(Array.from({ length: count }, (_, index) => eventRow(`e-${from + index}`)));

  describe('compaction', () => {
    it('merges text segments into one Parquet file and changes no answer', async () => {
      for (let part = 0; part < 5; part++) await append(part * 90, 100);
      const before = await ask(opened.warehouse, 'events');
      const [compaction] = await opened.warehouse.compact();
      expect(compaction).to.include({ table: 'events', segments: 5, rows: 500 });
      expect(await ask(opened.warehouse, 'events')).to.deep.equal(before);
      expect(await opened.warehouse.compact()).to.deep.equal([]);
      await append(1_000, 1);
      expect(await ask(opened.warehouse, 'events')).to.have.length(501);
    });

    it('by two processes at once doubles no row: one of them wins', async () => {
      for (let part = 0; part < 4; part++) await append(part * 100, 100);
      const other = await openWarehouseIn(opened.directory);
      const results = await Promise.all([opened.warehouse.compact(), other.warehouse.compact()]);
      expect(results.flat()).to.have.length(1);
      expect(await ask(opened.warehouse, 'outcomes')).to.deep.equal([{ outcome: 'accepted', rows: 400 }]);
      expect((await filesOf(opened)).filter((file) => file.endsWith('.parquet'))).to.have.length(1);
      await other.close();
    });

    it('takes the oldest text first, as much as one run may, and then Parquet files of one size', () => {
      const segment = (id: number, format: 'text' | 'parquet', rows: number): SegmentRow => ({
        table: 'events',
        id: `${id}`,
        file: `${id}`,
        state: 'live',
        format,
        rows,
        bytes: rows,
        minDay: 0,
        maxDay: 0,
        schemaVersion: 1,
        createdAt: id,
        closedAt: null,
      });
      const chosen = (segments: SegmentRow[]): number[] =>
        chooseInputs(segments).map(({ createdAt }) => createdAt);
      const many = Array.from({ length: PARQUET_FAN_IN }, (_, index) =>
        segment(10 + index, 'parquet', 1_000),
      );
      expect(chosen([segment(3, 'text', 5), ...many, segment(1, 'text', 5)])).to.deep.equal([1, 3]);
      expect(chosen([1, 2, 3].map((id) => segment(id, 'text', COMPACTION_ROWS_MAX / 2)))).to.deep.equal([
        1, 2,
      ]);
      expect(chosen([segment(1, 'text', 2 * COMPACTION_ROWS_MAX), segment(2, 'text', 1)])).to.deep.equal([1]);
      expect(chosen([segment(1, 'parquet', 900_000), ...many])).to.deep.equal(
        many.map(({ createdAt }) => createdAt),
      );
      expect(chosen(many.slice(1))).to.deep.equal([]);
      expect(chosen([])).to.deep.equal([]);
    });

    it('joins small Parquet files once there are enough of them', async () => {
      for (let part = 0; part < PARQUET_FAN_IN; part++) {
        await append(part * 10, 10);
        await opened.warehouse.compact();
      }
      const live = await createManifest(opened.database).live('events');
      expect(live.map(({ format, rows }) => [format, rows])).to.deep.equal(
        Array.from({ length: PARQUET_FAN_IN }, () => ['parquet', 10]),
      );
      await opened.warehouse.compact();
      expect(await createManifest(opened.database).live('events')).to.have.length(1);
      expect(await total(opened.warehouse)).to.equal('800');
    });

    it('replaces nothing when a file has not the rows that the manifest says', async () => {
      await append(0, 10);
      const [file = ''] = (await filesOf(opened)).filter((name) => name.endsWith('.tsv'));
      await writeFile(join(opened.directory, 'segments', file), '');
      expect(await failureOf(opened.warehouse.compact())).to.be.instanceOf(WarehouseUnavailable);
      expect(await filesOf(opened)).to.deep.equal([file]);
    });
  });

  describe('a sweep', () => {
    it('removes replaced files only after the grace, and then for good', async () => {
      for (let part = 0; part < 3; part++) await append(part * 10, 10);
      await opened.warehouse.compact();
      expect(await opened.warehouse.sweep()).to.deep.equal({ replaced: 0, orphans: 0 });
      expect(await filesOf(opened)).to.have.length(4);
      clock.ahead = SWEEP_GRACE_MICROS;
      expect(await opened.warehouse.sweep()).to.deep.equal({ replaced: 3, orphans: 0 });
      expect(await filesOf(opened)).to.have.length(1);
      expect(await opened.warehouse.sweep()).to.deep.equal({ replaced: 0, orphans: 0 });
      expect(await ask(opened.warehouse, 'events')).to.have.length(30);
    });

    it('removes orphans older than the grace, and nothing that it does not know', async () => {
      await append(0, 10);
      const orphan = join(opened.directory, 'segments', newSegmentName('events', 'text').file);
      const stranger = join(opened.directory, 'segments', 'notes.txt');
      for (const path of [orphan, stranger]) await writeFile(path, 'half a row');
      expect(await opened.warehouse.sweep()).to.deep.equal({ replaced: 0, orphans: 0 });
      const old = new Date(Date.now() - SWEEP_GRACE_MICROS / 1_000 - 1_000);
      for (const path of [orphan, stranger]) await utimes(path, old, old);
      expect(await opened.warehouse.sweep()).to.deep.equal({ replaced: 0, orphans: 1 });
      expect(await filesOf(opened))
        .to.include('notes.txt')
        .and.to.have.length(2);
      expect(await ask(opened.warehouse, 'events')).to.have.length(10);
    });

    it('and a writer that was slow do not both have their way: what is swept cannot be committed', async () => {
      const manifest = createManifest(opened.database);
      const name = newSegmentName('events', 'text');
      await writeFile(join(opened.directory, 'segments', name.file), '');
      clock.ahead = 2 * SWEEP_GRACE_MICROS;
      expect(await opened.warehouse.sweep()).to.deep.equal({ replaced: 0, orphans: 1 });
      const late = {
        ...name,
        format: 'text',
        rows: 1,
        bytes: 1,
        minDay: 0,
        maxDay: 0,
        schemaVersion: 1,
      } as const;
      expect(await manifest.add(late)).to.equal(false);
      expect(await manifest.live('events')).to.deep.equal([]);
    });
  });

  describe('a store in trouble', () => {
    it('says so with the cause, appends no half, and works again once it is mended', async () => {
      await append(0, 10);
      const segments = join(opened.directory, 'segments');
      await rename(segments, `${segments}-away`);
      for (const failing of [
        append(10, 1),
        total(opened.warehouse),
        opened.warehouse.compact(),
        opened.warehouse.sweep(),
      ]) {
        const error = await failureOf(failing);
        expect(error).to.be.instanceOf(WarehouseUnavailable);
        expect(error?.cause).to.be.instanceOf(Error);
      }
      await rename(`${segments}-away`, segments);
      expect(await ask(opened.warehouse, 'events')).to.have.length(10);
      await append(10, 1);
      expect(await ask(opened.warehouse, 'events')).to.have.length(11);
    });

    it('gives an error and no part of the answer when a file is lost', async () => {
      await append(0, 10);
      const [file = ''] = await filesOf(opened);
      await append(10, 10);
      await rm(join(opened.directory, 'segments', file));
      expect(await failureOf(total(opened.warehouse))).to.be.instanceOf(WarehouseUnavailable);
    });

    it('refuses rows of a newer release instead of misreading them', async () => {
      await append(0, 1);
      await opened.database.transact(async (tx) => {
        const name = newSegmentName('events', 'parquet');
        tx.insert(warehouseSegment, {
          ...name,
          state: 'live',
          format: 'parquet',
          rows: 1,
          bytes: 1,
          minDay: 0,
          maxDay: 99_999,
          schemaVersion: 99,
          createdAt: commitTimestamp,
          closedAt: null,
        });
      });
      expect(await failureOf(total(opened.warehouse))).to.be.instanceOf(WarehouseTooNew);
      expect(await opened.warehouse.compact(), 'what it knows itself').to.have.length(1);
      expect(await opened.warehouse.compact()).to.deep.equal([]);
    });

    it('does nothing more once it is closed, and lets what runs come to its end', async () => {
      await append(0, 10);
      const running = total(opened.warehouse);
      const closing = opened.warehouse.close();
      expect(await running.catch((error: unknown) => error)).to.satisfy(
        (answer: unknown) => answer === '100' || answer instanceof WarehouseUnavailable,
      );
      await closing;
      expect(await failureOf(total(opened.warehouse))).to.be.instanceOf(WarehouseUnavailable);
    });
  });

  it('streams: a reader that leaves early ends its query and nothing else', async () => {
    await append(0, 5_000);
    for (let round = 0; round < 3; round++) {
      let seen = 0;
      for await (const row of opened.warehouse.query('events', {
        namespace: 'default',
        from: '2026-03-01T00:00:00Z',
        to: '2026-03-02T00:00:00Z',
      })) {
        expect(row['subject']).to.equal('acme');
        if (++seen === 10) break;
      }
      expect(seen).to.equal(10);
    }
    expect(await total(opened.warehouse)).to.equal('50000');
  });

  it('ends a stream with an error, and in no other way, when it is closed in the middle of it', async () => {
    await append(0, 50_000);
    let seen = 0;
    const reading = (async (): Promise<void> => {
      for await (const _ of opened.warehouse.query('events', MARCH))
        if (++seen === 1) await opened.warehouse.close();
    })();
    expect(await failureOf(reading)).to.be.instanceOf(WarehouseUnavailable);
    expect(seen).to.be.below(50_000);
  });

  it('keeps events of any size that a message can have, in text and in Parquet', async () => {
    const sizes = [0, 100, 65_536, 1_000_000, 3_000_000];
    const rows = sizes.map((size, index) =>
      eventRow(`big-${size}`, { time: NOON + index, attributes: `{"a":"${'é'.repeat(size / 2)}"}` }),
    );
    await opened.warehouse.appendEvents(rows);
    const expected = rows.map(toWarehouseRow);
    expect(await ask(opened.warehouse, 'events')).to.deep.equal(expected);
    await opened.warehouse.compact();
    expect(await ask(opened.warehouse, 'events')).to.deep.equal(expected);
  });

  it('reads many segments at once', async () => {
    for (let part = 0; part < 40; part++)
      await Promise.all(Array.from({ length: 10 }, (_, index) => append(10 * part + index, 1)));
    expect(await total(opened.warehouse)).to.equal('4000');
  });
});
