import { z } from 'zod';

/** What the pipeline process says of itself, some times a second: best effort, since it started. */
const reportSchema = z.object({
  counters: z.record(
    z.string(),
    z.union([
      z.number(),
      z.object({ counts: z.array(z.number()), sum: z.number() }),
      z.record(z.string(), z.number()),
    ]),
  ),
  cpuMicros: z.object({ user: z.number(), system: z.number() }),
  residentBytes: z.number(),
});
export type PipelineReport = z.infer<typeof reportSchema>;

/** `pipeline: null`: it has ended. */
const messageSchema = z.object({ pipeline: reportSchema.nullable() });

/** What the process that started both the API and the pipeline forwards from one to the other. */
export interface PipelineReports {
  /** Undefined while no pipeline runs, or none is known to. */
  readonly latest: PipelineReport | undefined;
  /** Of the last report there was, whether or not it still stands. */
  readonly counterNames: readonly string[];
  /** Takes a message of the parent process; what is no report is passed over. */
  take(message: unknown): void;
}

export function createPipelineReports(): PipelineReports {
  let latest: PipelineReport | undefined;
  let counterNames: readonly string[] = [];
  return {
    get latest() {
      return latest;
    },
    get counterNames() {
      return counterNames;
    },
    take: (message) => {
      const parsed = messageSchema.safeParse(message);
      if (!parsed.success) return;
      latest = parsed.data.pipeline ?? undefined;
      if (latest !== undefined) counterNames = Object.keys(latest.counters);
    },
  };
}
