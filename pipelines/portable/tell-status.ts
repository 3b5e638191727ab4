import type { Scheduler } from '#infra/scheduler.ts';
import { statusJson, statusLine, type PipelineStatus } from './pipeline-status.ts';

/** Where a status is written. */
export interface StatusOutput {
  readonly isTerminal: boolean;
  /** Of the terminal; undefined where there is none. */
  readonly columns: () => number | undefined;
  write(text: string): void;
}

/** Without a terminal that would show one line alone, and nothing having changed. */
const PLAIN_EVERY_MICROS = 5_000_000;
const DEFAULT_COLUMNS = 120;
const CLEAR_LINE = '\r\u001b[2K';

/**
 * Tells every status it is given: on a terminal on one line that changes, for programs as a line of JSON each, else as a plain line whenever state, restarts,
 * page or alarm change, and every five seconds.
 */
export function createStatusTeller(
  output: StatusOutput,
  { json, now }: { readonly json: boolean; readonly now: Scheduler['now'] },
): { tell(status: PipelineStatus): void; end(): void } {
  let told: { readonly what: string; readonly at: number } | undefined;
  const tellPlain = (status: PipelineStatus): void => {
    const what = JSON.stringify([status.state, status.restarts, status.page, status.alarm]);
    const at = now();
    if (told?.what === what && at - told.at < PLAIN_EVERY_MICROS) return;
    told = { what, at };
    output.write(`${statusLine(status)}\n`);
  };
  const isLive = output.isTerminal && !json;
  return {
    tell: (status) => {
      if (json) output.write(`${statusJson(status)}\n`);
      // A line that wraps cannot be cleared.
      else if (isLive)
        output.write(
          `${CLEAR_LINE}${statusLine(status).slice(0, (output.columns() ?? DEFAULT_COLUMNS) - 1)}`,
        );
      else tellPlain(status);
    },
    end: () => {
      if (isLive) output.write('\n');
    },
  };
}
