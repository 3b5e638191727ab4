import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { InvoicingStores } from '#infra/invoicing/collect-invoices.ts';
import { openRuns } from '#infra/invoicing/invoice-runs.ts';
import { GENTLE, workOnRun } from '#infra/invoicing/work-on-run.ts';
import type { Scheduler } from '#infra/scheduler.ts';

/** Works on invoice runs in this process, between its answers. */
export interface InvoiceRunner {
  /** Takes up what is open in a namespace, or in all of them. Returns at once. */
  start(namespace?: string): void;
  /** What is in hand is left where it is: another process, or the next start, goes on. */
  stop(): Promise<void>;
}

interface RunnerOptions {
  readonly stores: InvoicingStores;
  readonly scheduler: Scheduler;
  readonly log: Logger;
}

/** After a failure of the stores it is tried again, the later the oftener it failed. */
const RETRY_MS = [1_000, 5_000, 30_000] as const;

/** A quota check waits no longer than this for a step of a run, as far as it is in steps. */
const TURN_MS = 2;

export function createInvoiceRunner({ stores, scheduler, log }: RunnerOptions): InvoiceRunner {
  const ended = new AbortController();
  const { signal } = ended;
  const worker = `api-${uuidV7()}`;
  const working = new Map<string, Promise<void>>();

  const takeUp = async (namespace?: string): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for (const open of await openRuns(stores.database, namespace)) work(open);
        return;
      } catch (error) {
        log.warn({ err: error }, 'open invoice runs could not be read');
        await scheduler.sleep(RETRY_MS[failures] ?? RETRY_MS[2], signal);
      }
    }
  };

  const work = (open: { readonly namespace: string; readonly run: string }): void => {
    if (working.has(open.run)) return;
    const done = untilDone(open).finally(() => working.delete(open.run));
    working.set(open.run, done);
  };

  const untilDone = async (open: { readonly namespace: string; readonly run: string }): Promise<void> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await workOnRun(stores, { ...open, worker, scheduler, signal, pace: GENTLE, breathe: inTurns() });
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error, run: open.run }, 'an invoice run was cut off, and goes on');
        await scheduler.sleep(RETRY_MS[failures] ?? RETRY_MS[2], signal);
      }
    }
  };

  const taken = new Set<Promise<void>>();
  return {
    start: (namespace) => {
      const taking = takeUp(namespace).finally(() => taken.delete(taking));
      taken.add(taking);
    },
    stop: async () => {
      ended.abort();
      await Promise.all([...taken, ...working.values()]);
    },
  };
}

function inTurns(): () => Promise<void> {
  let turnEnd = performance.now() + TURN_MS;
  return async () => {
    if (performance.now() < turnEnd) return;
    await setImmediate();
    turnEnd = performance.now() + TURN_MS;
  };
}
