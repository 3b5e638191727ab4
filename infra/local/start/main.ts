import { readBackend } from '#infra/cloud/backend.ts';
import { readCloudSettings } from '#infra/cloud/settings.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { cloudBacking, embeddedBacking, type Backing } from './backing.ts';
import { makeFirstKey } from './first-key.ts';
import { greet, type Greeting } from './greeting.ts';
import { startPlatform, type Platform, type ProcessName } from './platform.ts';
import { isLoopback, readStartSettings, type StartSettings } from './settings.ts';

/**
 * `npm start`: the platform as a server, the API and the pipeline in processes of their own on the embedded stores (or on Google Cloud or its emulators, with
 * `MILLRACE_BACKEND=gcp`), until it is told to
 * stop (SIGINT, SIGTERM, SIGHUP, or its parent's channel closes). A second signal ends it at once. Exit code 0 when it was told to stop,
 * 1 when it could not start, 130 when it was ended at once.
 */
const EXIT_AT_ONCE = 130;
/** npm passes on the Ctrl-C that the terminal has sent to both of us: within so long it is the same one. */
const SAME_SIGNAL_MS = 300;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const runs = (name: ProcessName, pid: number): void => void process.send?.({ runs: name, pid });
const scheduler = systemScheduler;
// A terminal that has gone must not end the server before it has drained.
process.stdout.on('error', () => undefined);

try {
  const settings = readStartSettings(process.env);
  await serve(settings, backingOf(settings));
} catch (error) {
  process.stderr.write(`Millrace did not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
if (process.connected) process.disconnect();

function backingOf(settings: StartSettings): Backing {
  return readBackend(process.env) === 'gcp'
    ? cloudBacking(readCloudSettings(process.env), settings)
    : embeddedBacking(settings);
}

async function serve(settings: StartSettings, backing: Backing): Promise<void> {
  const stopping = listenForStop();
  const claim = await backing.claim();
  try {
    const platform = await startUnlessStopped(settings, backing, stopping);
    if (platform === undefined) return;
    try {
      stopping.killNow = platform.kill;
      await introduce(settings, backing, platform);
      if (!stopping.signal.aborted)
        await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
      say('Stopping: requests in hand are answered, then the pipeline ends. Once more ends at once.');
    } finally {
      await platform.stop();
    }
    say('Millrace has stopped.');
  } finally {
    claim.release();
  }
}

/** Undefined when it was told to stop meanwhile. */
async function startUnlessStopped(
  settings: StartSettings,
  backing: Backing,
  { signal }: Stopping,
): Promise<Platform | undefined> {
  try {
    return await startPlatform(settings, backing, { scheduler, say, runs, signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

interface Stopping {
  readonly signal: AbortSignal;
  killNow: () => void;
}

function listenForStop(): Stopping {
  const told = new AbortController();
  const stopping: Stopping = { signal: told.signal, killNow: () => undefined };
  let firstAt = 0;
  const onSignal = (): void => {
    if (!told.signal.aborted) {
      firstAt = performance.now();
      told.abort();
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      stopping.killNow();
      process.exit(EXIT_AT_ONCE);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.once('disconnect', () => told.abort());
  return stopping;
}

/** A key is made only now: had the API not come up, nobody would have seen it. */
async function introduce(settings: StartSettings, backing: Backing, { url }: Platform): Promise<void> {
  const key = await firstKey(settings, backing);
  say(greet({ url, data: backing.data, key }));
  const secret = typeof key === 'object' ? key.secret : undefined;
  process.send?.({ ready: true, url, secret });
}

async function firstKey({ host }: StartSettings, backing: Backing): Promise<Greeting['key']> {
  if (!isLoopback(host)) return 'not-loopback';
  const database = await backing.openDatabase();
  try {
    const secret = await makeFirstKey(database, scheduler.now);
    return secret === undefined ? 'keys-exist' : { secret };
  } finally {
    await database.close();
  }
}
