import type { Instant } from '#domain/instant.ts';
import type { Message } from '#infra/topic/topic.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { CommitInWorker } from '#pipelines/portable/commit-in-worker.ts';
import { PullMessages } from '#pipelines/portable/read-messages.ts';
import type { PollResume } from '#pipelines/beam/splittable-do-fn.ts';
import { FEED, RULE, type Outcome, type PortableWorld, type SimulatedProcess } from './portable-world.ts';

/** What was read and is not yet committed; some of it waits in the runner's hands for long. */
interface Group {
  readonly messages: readonly Message[];
  readonly notBefore: Instant;
}

/** What a runner in miniature keeps: where each reader goes on, and what was read and is not yet committed. */
interface Kept {
  readonly readers: Map<string, PollResume>;
  readonly groups: Set<Group>;
}

/** A runner that hands rounds and bundles to processes, and is as careless as the model allows: it loses, repeats and goes back. */
export interface SimulatedRunner {
  /** Reads and commits until `end`. */
  readonly running: Promise<unknown>;
  /** Remembers where everything stands. */
  checkpoint(): void;
  /** The job begins anew, from the last checkpoint or from nothing: what its processes do meanwhile is for nobody. */
  restart(fromCheckpoint: boolean): void;
  end(): void;
}

const READERS = ['usage-0', 'usage-1', 'usage-2'];
const COMMITTERS = 2;
const GROUP_MESSAGES_MAX = 8;
const PAUSE_MICROS_MAX = 800_000;
const FAILED_BUNDLE = 0.05;
const REPEATED_BUNDLE = 0.15;
const SHARDS = 3;
const SLOW_GROUP = 0.2;
const SLOW_GROUP_MICROS_MAX = 25_000_000;

const begun = (): Kept => ({
  readers: new Map(
    READERS.map((reader) => [reader, { restriction: 'new', watermarkMs: 0, resumeAfterMs: 0 }]),
  ),
  groups: new Set(),
});
const copyOf = ({ readers, groups }: Kept): Kept => ({ readers: new Map(readers), groups: new Set(groups) });

interface Job {
  readonly world: PortableWorld;
  kept: Kept;
  checkpoint: Kept;
  /** What is under way when it changes was of the job before. */
  attempt: number;
  isOver: boolean;
}

export function startRunner(world: PortableWorld): SimulatedRunner {
  const { sim } = world;
  const job: Job = { world, kept: begun(), checkpoint: begun(), attempt: 0, isOver: false };
  const running = Promise.all([
    ...READERS.map((reader) => sim.spawn(`reads ${reader}`, () => read(job, reader))),
    ...Array.from({ length: COMMITTERS }, (_, i) => sim.spawn(`commits ${i}`, () => commit(job))),
  ]);
  return {
    running,
    checkpoint: () => (job.checkpoint = copyOf(job.kept)),
    restart: (fromCheckpoint) => {
      sim.note(`the job begins anew${fromCheckpoint ? ' from its checkpoint' : ''}`);
      job.attempt++;
      job.kept = fromCheckpoint ? copyOf(job.checkpoint) : begun();
    },
    end: () => void (job.isOver = true),
  };
}

const pause = ({ world: { sim } }: Job): Promise<void> => sim.sleep(sim.draw.below(PAUSE_MICROS_MAX));

/** Any process that lives; the one it had, as long as that is so. */
function processFor(
  { world: { sim, processes } }: Job,
  had?: SimulatedProcess,
): SimulatedProcess | undefined {
  if (had !== undefined && processes.has(had.name)) return had;
  return processes.size === 0 ? undefined : sim.draw.pick([...processes.values()]);
}

/** Round after round. Of a bundle that fails nothing is kept, and it is run again from where it began. */
async function read(job: Job, reader: string): Promise<void> {
  const { sim } = job.world;
  let process: SimulatedProcess | undefined;
  let attempt = 0;
  while (!job.isOver) {
    process = processFor(job, attempt === job.attempt ? process : undefined);
    attempt = job.attempt;
    const from = job.kept.readers.get(reader);
    if (process !== undefined && from !== undefined) {
      const messages: Message[] = [];
      const outcome = await poll(process, reader, { from, messages });
      if (outcome.kind === 'done' && attempt === job.attempt && !sim.draw.chance(FAILED_BUNDLE)) {
        job.kept.readers.set(reader, outcome.result);
        shuffle(job, messages);
      }
    }
    await pause(job);
  }
}

/** Neighbours go different ways, and one may be committed long before the other. */
function shuffle({ world: { sim }, kept }: Job, messages: readonly Message[]): void {
  const shards: Message[][] = Array.from({ length: SHARDS }, () => []);
  for (const message of messages) sim.draw.pick(shards).push(message);
  for (const shard of shards) {
    const delay = sim.draw.chance(SLOW_GROUP) ? sim.draw.below(SLOW_GROUP_MICROS_MAX) : 0;
    if (shard.length > 0) kept.groups.add({ messages: shard, notBefore: sim.now() + delay });
  }
}

const poll = (
  process: SimulatedProcess,
  reader: string,
  { from, messages }: { from: PollResume; messages: Message[] },
): Promise<Outcome<PollResume>> =>
  process.run(async () => {
    const source = new PullMessages(process.name, FEED);
    await source.setup();
    return source.poll({
      ...{ element: reader, restriction: from.restriction, watermarkMs: from.watermarkMs },
      ending: new AbortController().signal,
      emit: (message) => {
        messages.push(message);
        return null;
      },
    });
  });

/** Bundle after bundle, each until it succeeded: on any process, and now and then once more than needed. */
async function commit(job: Job): Promise<void> {
  const { sim } = job.world;
  while (!job.isOver) {
    const process = processFor(job);
    const { kept } = job;
    const due = [...kept.groups].filter(({ notBefore }) => notBefore <= sim.now());
    const group = due.length === 0 ? undefined : sim.draw.pick(due);
    if (process !== undefined && group !== undefined) {
      const bundle = group.messages.slice(0, GROUP_MESSAGES_MAX);
      const outcome = await commitOn(process, bundle);
      if (outcome.kind === 'done' && !sim.draw.chance(REPEATED_BUNDLE) && kept.groups.delete(group)) {
        const rest = group.messages.slice(bundle.length);
        if (rest.length > 0) kept.groups.add({ ...group, messages: rest });
      }
    }
    await pause(job);
  }
}

const commitOn = (process: SimulatedProcess, messages: readonly Message[]): Promise<Outcome<void>> =>
  process.run(async () => {
    const sink = new CommitInWorker(process.name, FEED);
    await sink.setup();
    sink.startBundle();
    for (const message of messages) sink.process(parseDelivery(RULE, message));
    await sink.finishBundle();
  });
