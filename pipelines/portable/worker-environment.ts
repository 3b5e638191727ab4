import { resolve } from 'node:path';
import { backendVariables } from '#infra/cloud/backend.ts';
import { cloudVariables } from '#infra/cloud/settings.ts';
import type { WorkerEnvironment } from '#pipelines/beam/environments.ts';
import { workerVariables } from '#pipelines/fleet/settings.ts';
import { portableVariables } from './worker-variables.ts';

/** The command that becomes a worker: the one of this checkout, so that submitter and workers are of one version. */
const WORKER_COMMAND = resolve(import.meta.dirname, '../beam/worker.sh');
const DIRECTORY = 'MILLRACE_DATA_DIR';

/** What a worker reads beside its schemas. Nothing secret: a runner keeps the environment of its workers and shows it. */
const OTHERS = [
  DIRECTORY,
  'GOOGLE_CLOUD_PROJECT',
  'METADATA_SERVER_DETECTION',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_METRIC_EXPORT_INTERVAL',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_SDK_DISABLED',
  'OTEL_TRACES_SAMPLER_ARG',
];

const NAMES: readonly string[] = [
  ...[backendVariables, cloudVariables, workerVariables, portableVariables].flatMap((schema) =>
    Object.keys(schema.shape),
  ),
  ...OTHERS,
];

/**
 * The variables of this process that its workers need, however they are started. The folder of embedded stores is made absolute: workers begin
 * wherever their runner does.
 */
export function workerVariablesOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const given = NAMES.flatMap((name) => {
    const value = environment[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  const variables = Object.fromEntries(given);
  const directory = variables[DIRECTORY];
  return directory === undefined ? variables : { ...variables, [DIRECTORY]: resolve(directory) };
}

/** Workers as processes that the runner starts on its machines, where this checkout lies under the same path. */
export const processWorkers = (environment: NodeJS.ProcessEnv): WorkerEnvironment => ({
  kind: 'process',
  command: WORKER_COMMAND,
  environment: workerVariablesOf(environment),
});
