import { fileURLToPath } from 'node:url';
import { HEAP_OPTIONS } from '#infra/heap-options.ts';
import type { Scheduler } from '#infra/scheduler.ts';
import { embeddedBacking, type Backing } from './backing.ts';
import type { StartSettings } from './settings.ts';
import { supervise, type Supervised } from './supervisor.ts';

/** Started by its path: nothing here imports it. */
const API = fileURLToPath(new URL('../../../api/main.ts', import.meta.url));

/** Beyond its own grace a process has so long to close its stores, before it is killed. */
const CLOSE_MS = 10_000;
/** A batch in hand is committed in far less; a store that fails just then is not waited for. */
const PIPELINE_GRACE_MS = 20_000;

/** The two processes of the platform on one machine. */
export interface Platform {
  readonly url: string;
  /**
   * The API first: it answers what it has taken, and waits a little until the pipeline has committed it. Then the pipeline, which finishes
   * the batch in hand. What is left waits in the topics.
   */
  stop(): Promise<void>;
  /** At once, as a power cut would; as safe, too. */
  kill(): void;
}

export type ProcessName = 'api' | 'pipeline';

/** Who is told how it goes. */
export interface Audience {
  /** The operator, a line at a time. */
  readonly say: (line: string) => void;
  /** Whoever started this: a process runs, for the first time or again. */
  readonly runs: (name: ProcessName, pid: number) => void;
}

interface Surroundings extends Audience {
  readonly scheduler: Scheduler;
  /** Gives the start up. */
  readonly signal: AbortSignal;
}

/** Resolves when both are ready. Throws, with nothing left running, when one of them cannot start or the start is given up. */
export async function startPlatform(
  settings: StartSettings,
  backing: Backing,
  { scheduler, signal, ...audience }: Surroundings,
): Promise<Platform> {
  const address: Address = { url: '', port: settings.port };
  const api = supervise(apiOf({ settings, backing }, address, audience), scheduler);
  // The API shows it to whoever watches.
  const report = (pipeline: object | null): void => api.send({ pipeline });
  const pipeline = supervise(pipelineOf(backing, audience, report), scheduler);
  const stop = async (): Promise<void> => {
    await api.stop(settings.graceSeconds * 1_000 + CLOSE_MS);
    await pipeline.stop(PIPELINE_GRACE_MS);
  };
  const kill = (): void => {
    api.kill();
    pipeline.kill();
  };
  const givenUp = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('told to stop while it was starting'))),
  );
  try {
    await Promise.race([Promise.all([api.ready, pipeline.ready]), givenUp]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: address.url, stop, kill };
}

type PipelineSettings = Pick<StartSettings, 'directory' | 'logLevel' | 'latenessSeconds'>;

/** The embedded pipeline alone, for a command that needs one whether or not a server runs: any number may work on one directory. */
export async function startPipeline(
  settings: PipelineSettings,
  { scheduler, say }: { readonly scheduler: Scheduler; readonly say: Audience['say'] },
): Promise<{ stop(): Promise<void> }> {
  const pipeline = supervise(
    pipelineOf(embeddedBacking(settings), { say, runs: () => undefined }),
    scheduler,
  );
  await pipeline.ready;
  return { stop: () => pipeline.stop(PIPELINE_GRACE_MS) };
}

/** Known once the API listens. The port then stays: a client finds a restarted API where it was. */
interface Address {
  url: string;
  port: number;
}

/** What the API says: where it listens, and at its end how many messages wait for the next start. */
interface ApiSaid {
  readonly url?: string;
  readonly uncommitted?: number;
}

function apiOf(
  { settings, backing }: { readonly settings: StartSettings; readonly backing: Backing },
  address: Address,
  { say, runs }: Audience,
): Supervised {
  const { host, logLevel, graceSeconds, keyEventsPerSecond, keyBytesPerSecond } = settings;
  return {
    name: 'the API',
    modulePath: API,
    arguments: () => [
      ...backing.apiArguments,
      `--host=${host}`,
      `--port=${address.port}`,
      `--log-level=${logLevel}`,
      `--grace-seconds=${graceSeconds}`,
      `--key-events-per-second=${keyEventsPerSecond}`,
      `--key-bytes-per-second=${keyBytesPerSecond}`,
    ],
    onReady: ({ url = '' }: ApiSaid, pid) => {
      runs('api', pid);
      if (address.url !== '') say('The API runs again.');
      address.url = url;
      address.port = Number(new URL(url).port);
    },
    onMessage: ({ uncommitted }: ApiSaid) => {
      if (uncommitted !== undefined)
        say(`${uncommitted} messages are safe in the topics and wait for the next start.`);
    },
    onEnd: sayEnd('The API', say),
  };
}

function pipelineOf(
  backing: Backing,
  { say, runs }: Audience,
  report: (latest: object | null) => void = () => undefined,
): Supervised {
  let ended = false;
  return {
    name: 'the pipeline',
    ...backing.pipeline,
    nodeOptions: HEAP_OPTIONS,
    onMessage: report,
    onReady: (_, pid) => {
      runs('pipeline', pid);
      if (ended) say('The pipeline runs again.');
    },
    onEnd: (end) => {
      ended = true;
      report(null);
      sayEnd('The pipeline', say)(end);
    },
  };
}

const sayEnd =
  (name: string, say: Audience['say']): Required<Supervised>['onEnd'] =>
  ({ how, startsAgainInMs }) =>
    say(`${name} ended (${how}); it is started again in ${startsAgainInMs / 1_000} s.`);
