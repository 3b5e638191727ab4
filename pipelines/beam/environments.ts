import './compat.ts';
import type { Environment, Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import { workerCapabilities } from './capabilities.ts';
import { runnerApi } from './sdk.ts';

/** How the workers of a job come to be. */
export type WorkerEnvironment =
  /** The runner starts the command on the machine it runs on, with these variables beside its own; the command gets no arguments of ours. */
  | {
      readonly kind: 'process';
      readonly command: string;
      readonly environment: Readonly<Record<string, string>>;
    }
  /** The runner asks the worker pool at `host:port` for workers. */
  | { readonly kind: 'external'; readonly endpoint: string }
  /** The runner starts containers of the image. */
  | { readonly kind: 'container'; readonly image: string };

const PROCESS_URN = 'beam:env:process:v1';
const EXTERNAL_URN = 'beam:env:external:v1';
const CONTAINER_URN = 'beam:env:docker:v1';

/** A pipeline that names no environment to pin. */
export class NoEnvironment extends Error {
  constructor() {
    super('the pipeline names no environment for its workers');
    this.name = 'NoEnvironment';
  }
}

/**
 * The pipeline with every environment of it said to be this one, and with nothing to be staged: workers are installed with all they load, which
 * is named, not sent. All transforms are of one SDK, so that one environment serves them all, and says what our worker can do.
 */
export function pinEnvironment(proto: PipelineProto, environment: WorkerEnvironment): PipelineProto {
  const pinned = runnerApi.Pipeline.clone(proto);
  const environments = Object.values(pinned.components?.environments ?? {});
  if (environments.length === 0) throw new NoEnvironment();
  for (const each of environments)
    Object.assign(each, specOf(environment), { dependencies: [], capabilities: workerCapabilities() });
  return pinned;
}

function specOf(environment: WorkerEnvironment): Pick<Environment, 'urn' | 'payload'> {
  switch (environment.kind) {
    case 'process': {
      const { command, environment: env } = environment;
      const payload = runnerApi.ProcessPayload.create({ command, env: { ...env } });
      return { urn: PROCESS_URN, payload: runnerApi.ProcessPayload.toBinary(payload) };
    }
    case 'external': {
      const payload = runnerApi.ExternalPayload.create({ endpoint: { url: environment.endpoint } });
      return { urn: EXTERNAL_URN, payload: runnerApi.ExternalPayload.toBinary(payload) };
    }
    case 'container': {
      const payload = runnerApi.DockerPayload.create({ containerImage: environment.image });
      return { urn: CONTAINER_URN, payload: runnerApi.DockerPayload.toBinary(payload) };
    }
  }
}
