import type { ProvisionInfo } from 'apache-beam/proto/beam_provision_api';
import { readPipelineOptions } from './pipeline-options.ts';
import { grpc, provisionClients, structs } from './sdk.ts';
import type { WorkerSettings } from './worker-settings.ts';

/** How long the runner may take to answer before the worker gives up, and is started again. */
const DEADLINE_MS = 60_000;

async function fetchInfo(endpoint: string, workerId: string): Promise<ProvisionInfo> {
  const metadata = new grpc.Metadata();
  metadata.add('worker_id', workerId);
  const client = new provisionClients.ProvisionServiceClient(endpoint, grpc.credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<ProvisionInfo>();
  client.getProvisionInfo({}, metadata, { deadline: Date.now() + DEADLINE_MS }, (error, response) => {
    if (response?.info === undefined) {
      reject(new Error(`the provision service ${endpoint} gave no information`, { cause: error }));
    } else resolve(response.info);
  });
  return promise.finally(() => client.close());
}

/** The settings with what the runner's provision service adds; what it says goes before the arguments. */
export async function provision(settings: WorkerSettings): Promise<WorkerSettings> {
  if (settings.provisionEndpoint === undefined) return settings;
  const info = await fetchInfo(settings.provisionEndpoint, settings.id);
  const control = info.controlEndpoint?.url;
  const logging = info.loggingEndpoint?.url;
  const options = info.pipelineOptions && structs.Struct.toJson(info.pipelineOptions);
  return {
    ...settings,
    ...(control ? { controlEndpoint: control } : {}),
    ...(logging ? { loggingEndpoint: logging } : {}),
    options: Object.freeze({ ...settings.options, ...readPipelineOptions(options) }),
    siblingIds: info.siblingWorkerIds,
  };
}
