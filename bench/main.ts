import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Task } from './child.ts';
import { benchDocuments } from './documents.ts';
import { measureFreshnessAt } from './freshness.ts';
import { benchFnApi } from './fn-api.ts';
import { benchGcp } from './gcp/bench-gcp.ts';
import { benchHttp } from './http/bench-http.ts';
import type { CommittedWorkload } from './ingest.ts';
import { benchInvoices } from './invoices.ts';
import type { Measured } from './measure.ts';
import { benchPortable } from './portable.ts';
import { benchPortableBatch } from './portable-batch.ts';
import { benchPortableGcp } from './portable-gcp.ts';
import { benchRating } from './pricing.ts';
import { measureReservations } from './reservations.ts';
import { describeFigure, summarise, type Figure } from './figure.ts';
import { HEAP_OPTIONS } from '#infra/heap-options.ts';

/**
 * `npm run bench [-- --json] [--quick]`: publish -> committed, durable, exact, at 10, 1,000 and 100,000 subjects, beside its limits in the
 * same run: JSON.parse alone, and the loop a user would write by hand. Both sides run in turn, round by round; ratios are of medians.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

const EVENTS = options.quick ? 200_000 : 1_000_000;
const ROUNDS = options.quick ? 1 : 3;
const PRELOADED = options.quick ? 2_000_000 : 50_000_000;
const WAREHOUSE_EVENTS = options.quick ? 1_000_000 : 10_000_000;
const RESERVATION_SECONDS = options.quick ? 2 : 5;
const PRINTED_INVOICES = options.quick ? 100 : 500;
const INVOICED_CUSTOMERS = options.quick ? 1_000 : 10_000;
const EMULATED_EVENTS = options.quick ? 2_000 : 10_000;
const RATED_LINES = options.quick ? 50_000 : 300_000;
const FN_API_ELEMENTS = options.quick ? 50_000 : 200_000;
const STREAMED_PER_SECOND = 10_000;
const STREAMED_SECONDS = options.quick ? 5 : 20;
const STREAMED_BACKLOG = options.quick ? 50_000 : 200_000;
/** A rate that an emulator of Spanner keeps up with on a busy machine. */
const EMULATED_PER_SECOND = 100;
const SUBJECTS = [10, 1_000, 100_000];
/** Counting writes slows a run down, so a smaller one is counted. */
const COUNTED_EVENTS = 100_000;
/** Design 3: an event row and a row for each of the two meters, before folding. */
const ROWS_PER_EVENT_MAX = 3;

const now = Date.now();
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning', ...HEAP_OPTIONS];
const figures: Figure[] = [];

async function measureIn<Result>(task: Omit<Task, 'now'>): Promise<Result> {
  const child = new URL('child.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...NODE_OPTIONS,
    child,
    JSON.stringify({ ...task, now }),
  ]);
  return JSON.parse(stdout) as Result;
}

async function inDirectory<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function record(figure: Figure): void {
  figures.push(figure);
  console.log(describeFigure(figure));
}

const perCpuSecond = ({ cpuSeconds }: Measured): number => EVENTS / cpuSeconds;
const perSecond = ({ wallSeconds }: Measured): number => EVENTS / wallSeconds;
const MEGABYTE = 1e6;

interface Round {
  readonly parse: Measured;
  readonly loop: Measured;
  readonly publish: Measured;
  readonly commit: CommittedWorkload;
}

const round = (subjects: number): Promise<Round> =>
  inDirectory(async (directory) => {
    const size = { events: EVENTS, subjects };
    const parse = await measureIn<Measured>({ task: 'parse', directory, ...size });
    const loop = await measureIn<Measured>({ task: 'loop', directory, ...size });
    const millrace = join(directory, 'millrace');
    const publish = await measureIn<Measured>({ task: 'publish', directory: millrace, ...size });
    const commit = await measureIn<CommittedWorkload>({ task: 'commit', directory: millrace, ...size });
    await measureIn({ task: 'check', directory: millrace, ...size });
    return { parse, loop, publish, commit };
  });

async function benchIngest(): Promise<void> {
  for (const subjects of SUBJECTS) {
    const rounds: Round[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await round(subjects));
    const of = (
      name: string,
      rate: (measured: Measured) => number,
      pick: (round: Round) => Measured,
    ): Figure =>
      summarise(
        `${name}, ${subjects.toLocaleString('en-US')} subjects`,
        rate === perSecond ? 'events/s' : 'events/CPU-s',
        rounds.map((each) => rate(pick(each))),
      );
    const whole = ({ publish, commit }: Round): Measured => ({
      cpuSeconds: publish.cpuSeconds + commit.cpuSeconds,
      wallSeconds: publish.wallSeconds + commit.wallSeconds,
    });
    const loop = of('hand-written loop', perCpuSecond, (each) => each.loop);
    const loopWall = of('hand-written loop', perSecond, (each) => each.loop);
    record(of('JSON.parse alone', perCpuSecond, (each) => each.parse));
    record(loop);
    record({
      ...of('topic -> committed', perCpuSecond, (each) => each.commit),
      ...against(
        loop,
        rounds.map(({ loop: l, commit }) => l.cpuSeconds / commit.cpuSeconds),
      ),
    });
    record({
      ...of('publish -> committed', perCpuSecond, whole),
      ...against(
        loop,
        rounds.map((each) => each.loop.cpuSeconds / whole(each).cpuSeconds),
      ),
    });
    record(loopWall);
    record({
      ...of('topic -> committed', perSecond, (each) => each.commit),
      ...against(
        loopWall,
        rounds.map(({ loop: l, commit }) => l.wallSeconds / commit.wallSeconds),
      ),
    });
    record(
      summarise(
        `peak memory, ${subjects.toLocaleString('en-US')} subjects`,
        'MB',
        rounds.map(({ commit }) => commit.peakResidentBytes / MEGABYTE),
      ),
    );
  }
}

const against = (peer: Figure, ratios: readonly number[]): Pick<Figure, 'peer' | 'ratio'> => ({
  peer: peer.name,
  ratio: summarise('', '', ratios).value,
});

/** The same with many identities stored already, beside a run without them. */
async function benchPreloaded(): Promise<void> {
  const size = { events: EVENTS, subjects: 1_000 };
  const commitWith = (preloaded: number): Promise<CommittedWorkload> =>
    inDirectory(async (directory) => {
      await measureIn({ task: 'publish', directory, ...size, preloaded });
      return measureIn<CommittedWorkload>({ task: 'commit', directory, ...size });
    });
  const [empty, full] = [await commitWith(0), await commitWith(PRELOADED)];
  const name = `topic -> committed, 1,000 subjects, ${PRELOADED.toLocaleString('en-US')} identities stored`;
  record({
    ...summarise(name, 'events/CPU-s', [perCpuSecond(full)]),
    peer: 'the same with none stored',
    ratio: empty.cpuSeconds / full.cpuSeconds,
  });
  record(
    summarise(`peak memory, ${PRELOADED.toLocaleString('en-US')} identities stored`, 'MB', [
      full.peakResidentBytes / MEGABYTE,
    ]),
  );
}

/** Rows written per event against design 3's budget, and the mutations Spanner would count. */
async function benchWrites(): Promise<void> {
  for (const subjects of SUBJECTS) {
    const size = { events: COUNTED_EVENTS, subjects };
    const { writes, acceptedEvents } = await inDirectory(async (directory) => {
      await measureIn({ task: 'publish', directory, ...size });
      return measureIn<CommittedWorkload>({ task: 'commit', directory, ...size, counted: true });
    });
    const rows = (writes?.rows ?? 0) / acceptedEvents;
    record({
      ...summarise(`rows written per event, ${subjects.toLocaleString('en-US')} subjects`, 'rows', [rows]),
      peer: 'budget',
      ratio: rows / ROWS_PER_EVENT_MAX,
    });
    record(
      summarise(
        `mutations per event as Spanner counts, ${subjects.toLocaleString('en-US')} subjects`,
        'mutations',
        [(writes?.mutations ?? 0) / acceptedEvents],
      ),
    );
    // Watermarks and catalogue rows come on top of the events' own: less than a row in a thousand events.
    if (rows > ROWS_PER_EVENT_MAX * 1.001)
      throw new Error(`${rows} rows per event are over the budget of ${ROWS_PER_EVENT_MAX}`);
  }
}

async function benchFreshness(): Promise<void> {
  const { p50, p99 } = await inDirectory(measureFreshnessAt);
  record(summarise('freshness at 5,000 events/s, p50', 'ms', [p50]));
  record(summarise('freshness at 5,000 events/s, p99', 'ms', [p99]));
}

/** Durable reservations of 64 callers in one process, beside a transaction for each. */
async function benchReservations(): Promise<void> {
  const size = { rounds: ROUNDS, seconds: RESERVATION_SECONDS };
  const { shared, single } = await inDirectory((directory) => measureReservations(directory, size));
  const alone = summarise('reservations, a transaction each, 64 callers', 'reservations/s', single);
  record(alone);
  record({
    ...summarise('reservations, sharing commits, 64 callers', 'reservations/s', shared),
    ...against(
      alone,
      shared.map((each, round) => each / (single[round] ?? NaN)),
    ),
  });
}

const WAREHOUSE_LINE = /^(.+?) +([\d.]+) s CPU +([\d.]+) s wall/;

/** Prints as it goes; its lines become figures too. */
async function benchWarehouse(): Promise<void> {
  const script = new URL('warehouse.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [...NODE_OPTIONS, script, String(WAREHOUSE_EVENTS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) {
    process.stdout.write(chunk as Buffer);
    text += String(chunk);
  }
  for (const line of text.split('\n')) {
    const [, name, cpu, wall] = WAREHOUSE_LINE.exec(line) ?? [];
    if (name === undefined) continue;
    figures.push(
      summarise(`warehouse: ${name}`, 'CPU-s', [Number(cpu)]),
      summarise(`warehouse: ${name}`, 's', [Number(wall)]),
    );
  }
}

const RUNS = {
  ingest: benchIngest,
  writes: benchWrites,
  freshness: benchFreshness,
  reservations: benchReservations,
  rating: () => benchRating({ rounds: ROUNDS, lines: RATED_LINES, record }),
  documents: () => benchDocuments({ rounds: ROUNDS, invoices: PRINTED_INVOICES, record }),
  invoices: () =>
    benchInvoices({
      ...{ rounds: ROUNDS, customers: INVOICED_CUSTOMERS, printed: PRINTED_INVOICES },
      ...{ record, inDirectory },
    }),
  http: () =>
    benchHttp({
      seconds: options.quick ? 5 : 20,
      requests: options.quick ? 5_000 : 20_000,
      events: options.quick ? 100_000 : 500_000,
      record,
      inDirectory,
    }),
  gcp: () => benchGcp({ rounds: ROUNDS, events: EMULATED_EVENTS, seconds: RESERVATION_SECONDS, record }),
  'fn-api': () => benchFnApi({ rounds: ROUNDS, elements: FN_API_ELEMENTS, record }),
  portable: () =>
    benchPortable({
      ...{ eventsPerSecond: STREAMED_PER_SECOND, seconds: STREAMED_SECONDS },
      ...{ backlog: STREAMED_BACKLOG, record },
    }),
  'portable-gcp': () =>
    benchPortableGcp({
      ...{ eventsPerSecond: EMULATED_PER_SECOND, seconds: STREAMED_SECONDS },
      ...{ backlog: EMULATED_EVENTS, record },
    }),
  'portable-batch': () => benchPortableBatch({ events: EVENTS, record }),
  preloaded: benchPreloaded,
  warehouse: benchWarehouse,
};

const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
console.log(`${machine}; ${EVENTS.toLocaleString('en-US')} events, ${ROUNDS} round(s), median [min - max]\n`);
for (const [name, run] of Object.entries(RUNS))
  if (options.only === undefined || options.only.split(',').includes(name)) await run();
if (options.json) console.log(JSON.stringify({ machine, runs: figures }));
