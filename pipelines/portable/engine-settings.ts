import type { EngineSettings } from './open-engine.ts';
import type { PipelineArguments } from './pipeline-arguments.ts';

export interface EngineArguments {
  readonly args: PipelineArguments & { readonly runner: 'prism' | 'flink' };
  readonly environment: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/**
 * What the arguments say of the engine. A Node process uses one core, so that there is one for each part unless it is said otherwise; the parts are
 * spread evenly over the TaskManagers.
 */
export function engineSettingsOf({ args, environment, say }: EngineArguments): EngineSettings {
  const { runner, parallelism } = args;
  const given = {
    jobEndpoint: args['job-endpoint'],
    flinkRest: args['flink-rest'],
    checkpointUrl: args['checkpoint-url'],
    taskManagers: args['task-managers'],
    parallelism,
    workers: args.workers ?? (parallelism && Math.ceil(parallelism / (args['task-managers'] ?? 1))),
    checkpointMs: args.checkpoint,
    folder: args.folder,
    read: args.read,
  };
  const isGiven = ([, value]: [string, unknown]): boolean => value !== undefined;
  return { runner, environment, say, ...Object.fromEntries(Object.entries(given).filter(isGiven)) };
}
