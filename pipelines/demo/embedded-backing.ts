import { rm } from 'node:fs/promises';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { startApi } from './api-process.ts';
import type { DemoBacking } from './backing.ts';
import { pipelineOfProcesses } from './demo-pipeline.ts';
import { startPipeline } from './pipeline-process.ts';

/** Short, so that what the killed process held comes back soon. */
const ACK_DEADLINE_SECONDS = 10;

/** Our own stores below a directory, made anew. */
export async function embeddedBacking(directory: string): Promise<DemoBacking> {
  await rm(directory, { recursive: true, force: true });
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  return {
    name: 'embedded',
    stores,
    data: `${directory} (database/, topic/, topic-api/, warehouse/, invoices/)`,
    scale: {
      events: 200_000,
      lateEvents: 300,
      steadyLoad: { eventsPerSecond: 2_000, seconds: 3 },
      checksPerSecond: 50,
    },
    startApi: () => startApi({ arguments: [`--directory=${directory}`] }),
    startPipeline: (latenessSeconds) =>
      pipelineOfProcesses(() =>
        startPipeline({ directory, latenessSeconds, ackDeadlineSeconds: ACK_DEADLINE_SECONDS }),
      ),
    isDrained: async () => {
      const backlogs = await Promise.all(Object.values(stores.topics).map((topic) => topic.backlog()));
      return backlogs.every(({ messages }) => messages === 0);
    },
    close: stores.close,
  };
}
