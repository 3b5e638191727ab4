import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Services } from '../services.ts';

export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** For a person: what is wrong, or how it stands. */
  readonly detail: string;
}

/** Whether this process can do its work now. */
export async function readReadiness(services: Services): Promise<ReadinessCheck[]> {
  const { drain } = services;
  return [
    { name: 'server', ok: !drain.draining, detail: drain.draining ? 'is stopping' : 'takes requests' },
    await check('database', async () => {
      await readCatalogueRow(services.database, 'default');
      return 'answers';
    }),
    await check('topic', async () => {
      const seen = await services.topic.oldestUnacknowledged();
      if (seen === 'unknown' || seen.oldest === undefined) return 'answers';
      const lagSeconds = Math.max(0, Math.round((services.scheduler.now() - seen.oldest) / 1_000_000));
      return `answers; its oldest message not yet committed is ${lagSeconds} s old`;
    }),
  ];
}

/** A stranger may read this, so the error itself stays in the log. */
async function check(name: string, ask: () => Promise<string>): Promise<ReadinessCheck> {
  try {
    return { name, ok: true, detail: await ask() };
  } catch {
    return { name, ok: false, detail: 'does not answer' };
  }
}
