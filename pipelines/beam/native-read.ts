import './compat.ts';
import type { ExpansionResponse } from 'apache-beam/proto/beam_expansion_api';
import type { Components } from 'apache-beam/proto/beam_runner_api';
import type { Root } from './graph.ts';
import type { PCollection, PTransformProto } from './sdk.ts';
import {
  beam,
  coders,
  expansionApi,
  expansionClients,
  externalTransforms,
  grpc,
  protobuf,
  rowCoders,
  runnerApi,
  standardCoders,
} from './sdk.ts';

/** A source that the runner itself reads, in its own process: nobody of ours is asked for its elements, which are bytes. */
export interface NativeRead {
  /** What it is, as only the runner understands it. */
  readonly payload: Uint8Array;
}

export interface ExpandedTransform {
  /** `host:port` of an expansion service. */
  readonly endpoint: string;
  readonly urn: string;
  /** By the names that the transform knows. */
  readonly configuration: Readonly<Record<string, string | boolean>>;
}

/** An expansion service that does not answer, or whose answer is none that we can use. */
export class NotExpanded extends Error {
  constructor(urn: string, reason: string, options?: ErrorOptions) {
    super(`${urn} could not be expanded: ${reason}`, options);
    this.name = 'NotExpanded';
  }
}

export const READ_URN = 'beam:transform:read:v1';
const BYTES_URN = 'beam:coder:bytes:v1';
const EXPAND_MS_MAX = 60_000;
const NAMESPACE = 'expanded_';

/**
 * Asks an expansion service for the transform and takes of it only the read that it begins with: whatever it does to the elements after that would need
 * a worker of its own language. Throws `NotExpanded` where it begins with no unbounded read of bytes.
 */
export async function expandRead({ endpoint, urn, configuration }: ExpandedTransform): Promise<NativeRead> {
  const answer = await expand(endpoint, urn, payloadOf(configuration));
  if (answer.error !== '') throw new NotExpanded(urn, answer.error);
  const { transforms = {}, ...components } = answer.components ?? {};
  const reads = Object.values(transforms).filter(({ spec }) => spec?.urn === READ_URN);
  const [read] = reads;
  if (read === undefined || reads.length > 1)
    throw new NotExpanded(urn, `it has ${reads.length} reads instead of one`);
  const reason = unfit(read, components);
  if (reason !== undefined) throw new NotExpanded(urn, reason);
  return { payload: read.spec?.payload ?? new Uint8Array() };
}

/** Why its elements are none for us; undefined where they are. */
function unfit(
  { outputs }: PTransformProto,
  { pcollections = {}, coders: known = {} }: Partial<Components>,
): string | undefined {
  const [output = ''] = Object.values(outputs);
  const collection = pcollections[output];
  const coder = known[collection?.coderId ?? '']?.spec?.urn;
  if (coder !== BYTES_URN) return `it reads elements of ${coder ?? 'no coder'} instead of bytes`;
  if (collection?.isBounded !== runnerApi.IsBounded_Enum.UNBOUNDED) return 'its read has an end';
  return undefined;
}

/** The configuration as a row of Beam's, with its schema. */
function payloadOf(configuration: ExpandedTransform['configuration']): Uint8Array {
  const schema = rowCoders.RowCoder.inferSchemaOfJSON(configuration);
  const writer = new protobuf.Writer();
  new rowCoders.RowCoder(schema).encode(configuration, writer, coders.Context.wholeStream);
  return externalTransforms.ExternalConfigurationPayload.toBinary({ schema, payload: writer.finish() });
}

function expand(endpoint: string, urn: string, payload: Uint8Array): Promise<ExpansionResponse> {
  // It answers with the whole class path of Java as artifacts, which nobody asks for.
  const client = new expansionClients.ExpansionServiceClient(endpoint, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  const request = expansionApi.ExpansionRequest.create({
    transform: { uniqueName: 'read', spec: { urn, payload } },
    components: {},
    namespace: NAMESPACE,
  });
  const { promise, resolve, reject } = Promise.withResolvers<ExpansionResponse>();
  client.expand(request, { deadline: Date.now() + EXPAND_MS_MAX }, (error, response) => {
    if (response !== undefined && error === null) resolve(response);
    else reject(new NotExpanded(urn, error?.details ?? 'no answer', { cause: error }));
  });
  return promise.finally(() => client.close());
}

/** What the runner reads by itself, without an end. Only runners that know how to read it take such a pipeline: Flink does. */
export const nativeRead = (root: Root, name: string, { payload }: NativeRead): PCollection<Uint8Array> => {
  const read = (_root: unknown, pipeline: Root['pipeline'], transform: PTransformProto): unknown => {
    transform.spec = runnerApi.FunctionSpec.create({ urn: READ_URN, payload });
    // It is in no worker.
    transform.environmentId = '';
    const bytes = new standardCoders.BytesCoder();
    return pipeline.createPCollectionInternal(bytes, undefined, runnerApi.IsBounded_Enum.UNBOUNDED);
  };
  return root.apply(beam.withName(name, read) as Parameters<Root['apply']>[0]) as PCollection<Uint8Array>;
};
