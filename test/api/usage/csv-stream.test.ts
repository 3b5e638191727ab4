import { expect } from 'chai';
import { openCsv } from '#api/usage/csv-stream.ts';
import { csvLines } from '#api/usage/csv.ts';
import { plainCell } from '#infra/documents/plain-cell.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import type { Database, Snapshot } from '#infra/database/database.ts';
import { StoreFailure } from '#infra/database/errors.ts';
import type { ReadUsage } from '#infra/usage/read-usage.ts';
import { usageHour } from '#infra/usage/tables.ts';
import { errorOf, instant, openStores } from '#test/infra/usage/usage-fixture.ts';
import { eventually } from '#test/support/eventually.ts';

const QUESTION: ReadUsage = {
  namespace: 'default',
  meter: 'tokens',
  subjects: ['acme'],
  from: instant('2026-01-01T00:00:00Z'),
  to: instant('2026-03-01T00:00:00Z'),
  window: 'minute',
  timezone: 'UTC',
};
/** Every minute of January and February, and the header. */
const LINES = 59 * 24 * 60 + 1;

interface Watched {
  readonly database: Database;
  /** Snapshots that are open. */
  readonly open: () => number;
  /** From now on hour cells cannot be read. */
  readonly fail: () => void;
}

async function watched(): Promise<Watched> {
  const { database } = await openStores();
  const definition = { name: 'Tokens', eventType: 'use', aggregation: 'sum', value: 'v' } as const;
  await putMeter(database, { namespace: 'default', key: 'tokens', definition });
  let open = 0;
  let failing = false;
  const snapshot = async (): Promise<Snapshot> => {
    const taken = await database.snapshot();
    open++;
    return {
      ...taken,
      scan: (table, range, options) => {
        if (failing && table.name === usageHour.name) throw new StoreFailure('the disk is gone');
        return taken.scan(table, range, options);
      },
      close: async () => {
        open--;
        await taken.close();
      },
    };
  };
  return { database: { ...database, snapshot }, open: () => open, fail: () => void (failing = true) };
}

/** Time that passes when the test says so. */
function patience(): { sleep: (ms: number, signal?: AbortSignal) => Promise<void>; end: () => void } {
  const ends = new Set<() => void>();
  return {
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        ends.add(resolve);
        signal?.addEventListener('abort', () => resolve());
      }),
    end: () => ends.forEach((end) => end()),
  };
}

const start = async (
  { database }: Watched,
  signal = new AbortController().signal,
  sleep = patience().sleep,
) => {
  const { chunks } = await openCsv({ database, scheduler: { now: () => 0, sleep } }, QUESTION, signal);
  return chunks[Symbol.asyncIterator]();
};

describe('an answer streamed as CSV', () => {
  it('holds one snapshot until its last row is taken', async () => {
    const on = await watched();
    const { chunks } = await openCsv(
      { database: on.database, scheduler: { now: () => 0, sleep: patience().sleep } },
      QUESTION,
      new AbortController().signal,
    );
    expect(on.open()).to.equal(1);
    const lines = (await Array.fromAsync(chunks)).join('').trimEnd().split('\n');
    expect(lines).to.have.length(LINES);
    expect(new Set(lines)).to.have.length(LINES);
    await eventually('the snapshot is closed', async () => on.open() === 0);
  });

  it('ends its reading when nobody waits for it any more, begun or not', async () => {
    const on = await watched();
    const leaving = new AbortController();
    await start(on, leaving.signal);
    leaving.abort();
    await eventually('the snapshot is closed', async () => on.open() === 0);
    const begun = await start(on);
    await begun.next();
    await begun.return?.();
    await eventually('the snapshot is closed', async () => on.open() === 0);
  });

  it('ends its reading when its reader takes nothing for too long, and never looks whole', async () => {
    const on = await watched();
    const { sleep, end } = patience();
    const reading = await start(on, new AbortController().signal, sleep);
    await reading.next();
    expect(on.open()).to.equal(1);
    await eventually('the reader is waited for no longer', async () => {
      end();
      return on.open() === 0;
    });
    expect(await errorOf(() => reading.next())).to.be.instanceOf(Error);
  });

  it('breaks off with the error of its store, and never looks whole', async () => {
    const on = await watched();
    const reading = await start(on);
    await reading.next();
    on.fail();
    const rest = async (): Promise<void> => {
      while (!(await reading.next()).done);
    };
    expect(await errorOf(rest)).to.be.instanceOf(StoreFailure);
    await eventually('the snapshot is closed', async () => on.open() === 0);
  });
});

describe('a line of CSV', () => {
  const row = { from: 0, to: 60_000_000, value: '-1' };

  it('has no text that a spreadsheet runs', () => {
    for (const text of ['=1', '+1', '-1', '@x', '\tx', '\rx', '\n=1', '＝1', '＋1', '－1', '＠x'])
      expect(plainCell(text)).to.equal(`'${text}`);
    for (const text of ['', 'a=1', '1-1', 'x@y', "'"]) expect(plainCell(text)).to.equal(text);
  });

  it('has values in the order of its columns, whatever their names', () => {
    const shape = { bySubject: true, dimensions: ['from', 'value'] };
    expect(csvLines(shape, [{ ...row, subject: 's,1', group: { value: 'v', from: 'f' } }])).to.equal(
      '1970-01-01T00:00:00Z,1970-01-01T00:01:00Z,"s,1",f,v,-1\n',
    );
  });
});
