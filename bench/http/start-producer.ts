import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SteadyLoad } from '#pipelines/demo/backing.ts';
import type { FreshnessMillis } from '#pipelines/demo/freshness.ts';

/** A process that publishes to the topic of a platform. */
export interface Producer {
  /** Publishes at a steady rate, once; resolves when all is committed. */
  produce(load: SteadyLoad): Promise<FreshnessMillis>;
  stop(): Promise<void>;
}

/** Resolves when it is ready: to start costs it half a second of CPU, which is not to be a part of the load. */
export async function startProducer(directory: string): Promise<Producer> {
  const child = fork(fileURLToPath(new URL('producer.ts', import.meta.url)), [directory], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  await messageOf(child);
  return {
    produce: async (load) => {
      child.send(load);
      const { freshness } = await messageOf<{ freshness: FreshnessMillis }>(child);
      return freshness;
    },
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Throws where the process ends instead. */
async function messageOf<Message>(child: ChildProcess): Promise<Message> {
  const ended = new AbortController();
  const onExit = (): void => ended.abort(new Error('the producer ended before its time'));
  child.once('exit', onExit);
  try {
    const [message] = (await once(child, 'message', { signal: ended.signal })) as [Message];
    return message;
  } finally {
    child.off('exit', onExit);
  }
}
