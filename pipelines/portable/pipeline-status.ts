import type { Instant } from '#domain/instant.ts';
import type { JobState } from '#pipelines/beam/job-service.ts';

/** How a pipeline on a distributed engine stands. */
export interface PipelineStatus {
  readonly at: Instant;
  readonly name: string;
  readonly runner: string;
  /** `unknown` while the runner does not answer. */
  readonly state: JobState | 'LOST' | 'unknown';
  /** Now less what everything is committed through; undefined while no feed has reported. */
  readonly lagMs: number | undefined;
  /** Since the watermark was last seen to advance. */
  readonly commitAgeMs: number;
  /** Submissions after the first, and what the engine has started again by itself. */
  readonly restarts: number;
  readonly workers: number | undefined;
  /** Where the engine shows the job; absent where it shows it nowhere, or not yet. */
  readonly page?: string;
  /** Why somebody has to look. */
  readonly alarm: string | undefined;
}

/** The status as one line for people. */
export function statusLine(status: PipelineStatus): string {
  const { name, runner, state, lagMs, commitAgeMs, restarts, workers, page, alarm } = status;
  return [
    `${name} on ${runner}: ${state}`,
    `lag ${lagMs === undefined ? 'unknown' : seconds(lagMs)}`,
    `last commit ${seconds(commitAgeMs)} ago`,
    `restarts ${restarts}`,
    `workers ${workers ?? 'not seen'}`,
    ...(alarm === undefined ? [] : [`ALARM: ${alarm}`]),
    ...(page === undefined ? [] : [page]),
  ].join(' | ');
}

/** The status as one line for programs. */
export const statusJson = ({ at, ...status }: PipelineStatus): string =>
  JSON.stringify({ event: 'status', at: new Date(at / 1_000).toISOString(), ...status });

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
