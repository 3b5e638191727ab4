import { systemScheduler } from '#infra/scheduler.ts';
import { MICROS_PER_MILLI } from '#domain/instant.ts';
import { spendOf } from '../budget.ts';
import { summarise, type Figure } from '../figure.ts';
import { makeWorkload } from '../workload.ts';
import { runBareLoop } from './bare-loop.ts';
import { startCloud, type BenchCloud, type FreshCloud } from './fresh-cloud.ts';
import { measureQuotas } from './quotas.ts';
import { runUsageGraph } from './usage-graph.ts';

export interface BenchGcp {
  readonly rounds: number;
  readonly events: number;
  /** Of the quota measurements. */
  readonly seconds: number;
  readonly record: (figure: Figure) => void;
}

/** Of each round; a run with as many hours as subjects would measure the size of its transactions. */
const SUBJECTS = 1_000;
const WARM_UP_EVENTS = 1_000;
const COUNTED_EVENTS = 3_000;

/**
 * The same on the emulators of Google Cloud, which are started here. Their speed is not that of the services: what counts is the ratio to the bare clients
 * on the same emulators, and what is counted (rows, mutations, round trips), which is the same on the services. Throws where the budget of
 * the design is overspent. Where an emulator cannot be had it says so, and measures nothing.
 */
export async function benchGcp(options: BenchGcp): Promise<void> {
  const cloud = await startCloud((line) => console.log(line));
  if (cloud === undefined) return;
  try {
    await benchIngest(cloud, options);
    await benchQuotas(cloud, options);
    await benchBudget(cloud, options);
  } finally {
    await cloud.stop();
  }
}

async function onFresh<Result>(
  cloud: BenchCloud,
  work: (fresh: FreshCloud) => Promise<Result>,
): Promise<Result> {
  const fresh = await cloud.fresh();
  try {
    return await work(fresh);
  } finally {
    await fresh.close();
  }
}

async function benchIngest(cloud: BenchCloud, { rounds, events, record }: BenchGcp): Promise<void> {
  const workloadOf = (count: number) =>
    makeWorkload({ events: count, subjects: SUBJECTS, now: systemScheduler.now() / MICROS_PER_MILLI });
  const round = async (count: number, name: string) => {
    const workload = workloadOf(count);
    const graph = await onFresh(cloud, (fresh) => runUsageGraph(fresh, workload));
    const bare = await onFresh(cloud, ({ settings }) => runBareLoop(settings, name, workload));
    return { graph, bare };
  };
  await round(WARM_UP_EVENTS, 'bare-warm-up');
  const measured: Awaited<ReturnType<typeof round>>[] = [];
  for (let i = 0; i < rounds; i++) measured.push(await round(events, `bare-${i}`));
  const bare = summarise(
    'bare clients, publish -> acknowledged, emulators',
    'events/s',
    measured.map((each) => events / each.bare.wallSeconds),
  );
  record(bare);
  record({
    ...summarise(
      'publish -> acknowledged, emulators',
      'events/s',
      measured.map((each) => events / each.graph.wallSeconds),
    ),
    peer: bare.name,
    ratio: median(measured.map((each) => each.bare.wallSeconds / each.graph.wallSeconds)),
  });
  const bareCpu = summarise(
    'bare clients, publish -> acknowledged, emulators',
    'events/CPU-s',
    measured.map((each) => events / each.bare.cpuSeconds),
  );
  record(bareCpu);
  record({
    ...summarise(
      'publish -> acknowledged, emulators',
      'events/CPU-s',
      measured.map((each) => events / each.graph.cpuSeconds),
    ),
    peer: bareCpu.name,
    ratio: median(measured.map((each) => each.bare.cpuSeconds / each.graph.cpuSeconds)),
  });
  record(
    summarise(
      'events of a commit, emulators',
      'events',
      measured.map((each) => events / each.graph.work.commits),
    ),
  );
}

const median = (values: readonly number[]): number => summarise('', '', values).value;

async function benchQuotas(cloud: BenchCloud, { rounds, seconds, record }: BenchGcp): Promise<void> {
  for (const { name, ours, bare } of await onFresh(cloud, (fresh) =>
    measureQuotas(fresh, { rounds, seconds }),
  )) {
    const peer = summarise(`bare clients, ${name}, emulator`, `${name}/s`, bare);
    record(peer);
    record({
      ...summarise(`${name}, emulator`, `${name}/s`, ours),
      peer: peer.name,
      ratio: median(ours.map((each, i) => each / (bare[i] ?? NaN))),
    });
  }
}

/** Fails above the budget: what it counts is the same on the real Spanner. */
async function benchBudget(cloud: BenchCloud, { record }: BenchGcp): Promise<void> {
  const opened: FreshCloud[] = [];
  const open = async () => {
    const fresh = await cloud.fresh();
    opened.push(fresh);
    // The stores are closed together, below.
    return { ...fresh.stores.database, close: async () => undefined };
  };
  try {
    const spent = await spendOf(open, { events: COUNTED_EVENTS, now: systemScheduler.now() });
    for (const each of spent) {
      const of = `${each.shape}, Spanner`;
      const one = (name: string, unit: string, value: number) => summarise(`${name}: ${of}`, unit, [value]);
      record({
        ...one('rows per event', 'rows', each.rowsPerEvent),
        ...{ peer: 'budget', ratio: each.rowsPerEvent / each.rowsPerEventMax },
      });
      record(one('mutations per event', 'mutations', each.mutationsPerEvent));
      record(one('mutations of the largest commit', 'mutations', each.mutationsPerCommit));
      record(one('reads per event', 'reads', each.readsPerEvent));
      record(one('round trips of reads per commit, most', 'trips', each.tripsPerCommit));
    }
    const overspent = spent.flatMap((each) => each.overspent);
    if (overspent.length > 0) throw new Error(`over the budget:\n${overspent.join('\n')}`);
  } finally {
    for (const fresh of opened) await fresh.close();
  }
}
