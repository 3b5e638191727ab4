// The one place that imports the SDK's internals and gives them types. The SDK's modules import each other in circles,
// so its index comes first, and before it the shim that lets it load on this version of Node.
import './node24.ts';
import beam from 'apache-beam';
import type { PCollection as SdkPCollection } from 'apache-beam';
import coders from 'apache-beam/coders/coders';
import jsCoders from 'apache-beam/coders/js_coders';
import rowCoders from 'apache-beam/coders/row_coder';
import standardCoders from 'apache-beam/coders/standard_coders';
import pipelines from 'apache-beam/internal/pipeline';
import serialize from 'apache-beam/internal/serialize';
import urns from 'apache-beam/internal/urns';
import expansionApi from 'apache-beam/proto/beam_expansion_api';
import expansionClients from 'apache-beam/proto/beam_expansion_api.grpc-client';
import fnApi from 'apache-beam/proto/beam_fn_api';
import fnClients from 'apache-beam/proto/beam_fn_api.grpc-client';
import fnServers from 'apache-beam/proto/beam_fn_api.grpc-server';
import jobApi from 'apache-beam/proto/beam_job_api';
import jobClients from 'apache-beam/proto/beam_job_api.grpc-client';
import provisionClients from 'apache-beam/proto/beam_provision_api.grpc-client';
import externalTransforms from 'apache-beam/proto/external_transforms';
import structs from 'apache-beam/proto/google/protobuf/struct';
import runnerApi from 'apache-beam/proto/beam_runner_api';
import type { Coder as CoderProto, PTransform as PTransformProto } from 'apache-beam/proto/beam_runner_api';
import type { Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import serialization from 'apache-beam/serialization';
import internalTransforms from 'apache-beam/transforms/internal';
import pardo from 'apache-beam/transforms/pardo';
import transforms from 'apache-beam/transforms/transform';
import type { PTransform as SdkPTransform } from 'apache-beam/transforms/transform';
import values from 'apache-beam/values';
import type { PaneInfo, Window } from 'apache-beam/values';
import version from 'apache-beam/version';
import logging from 'apache-beam/worker/logging';
import metrics from 'apache-beam/worker/metrics';
import operators from 'apache-beam/worker/operators';
import type { IOperator, OperatorContext, ProcessResult, Receiver } from 'apache-beam/worker/operators';
import pardoContext from 'apache-beam/worker/pardo_context';
import workers from 'apache-beam/worker/worker';
import type * as Grpc from '@grpc/grpc-js';
import type * as Bson from 'bson';
import { createRequire } from 'node:module';
import type * as Protobuf from 'protobufjs';
import type { Reader, Writer } from 'protobufjs';
import { expectInternal } from './sdk-moved.ts';

// The SDK's own copies of its dependencies: a second copy of grpc-js or protobufjs would be a different class.
const requireFromSdk = createRequire(createRequire(import.meta.url).resolve('apache-beam'));
const grpc = requireFromSdk('@grpc/grpc-js') as typeof Grpc;
const protobuf = requireFromSdk('protobufjs') as typeof Protobuf;
const bson = requireFromSdk('bson') as typeof Bson;
const Long = requireFromSdk('long') as {
  fromNumber(value: number): BeamInstant;
  fromBits(low: number, high: number): BeamInstant;
};

export {
  beam,
  bson,
  coders,
  expansionApi,
  expansionClients,
  externalTransforms,
  fnApi,
  fnClients,
  fnServers,
  grpc,
  internalTransforms,
  jobApi,
  jobClients,
  jsCoders,
  logging,
  metrics,
  operators,
  pardo,
  pardoContext,
  pipelines,
  protobuf,
  provisionClients,
  rowCoders,
  runnerApi,
  serialization,
  serialize,
  standardCoders,
  structs,
  transforms,
  urns,
  values,
  version,
  workers,
};
export type {
  IOperator,
  OperatorContext,
  PaneInfo,
  PipelineProto,
  ProcessResult,
  PTransformProto,
  Receiver,
  Window,
};

export type PCollection<T> = SdkPCollection<T>;
/** A step of a pipeline that turns one collection into another. */
export type Transform<I, O> = SdkPTransform<PCollection<I>, PCollection<O>>;

/** How elements are written for the wire and read from it, as the SDK has it. */
export interface ElementCoder<T> {
  encode(value: T, writer: Writer, context: string): void;
  decode(reader: Reader, context: string): T;
  toProto(context: unknown): CoderProto;
}

/** The SDK keeps instants as whole milliseconds since the epoch in its Long. */
export interface BeamInstant {
  toNumber(): number;
  toString(): string;
}
/** As the SDK's own type, which loses the type of the timestamp. */
export interface WindowedValue<T> {
  readonly value: T;
  readonly windows: Window[];
  readonly pane: PaneInfo;
  readonly timestamp: BeamInstant;
}
/** From the two halves of its 64 bits. */
export const instantOfBits = (low: number, high: number): BeamInstant => Long.fromBits(low, high);
export const instantOf = (epochMs: number): BeamInstant => Long.fromNumber(epochMs);

export const PAR_DO_URN = pardo.parDo.urn;
export const FLATTEN_URN = 'beam:transform:flatten:v1';
export const DATA_SOURCE_URN = urns.DATA_INPUT_URN;
export const DATA_SINK_URN = urns.DATA_OUTPUT_URN;

export type OperatorConstructor = (
  id: string,
  transform: PTransformProto,
  context: OperatorContext,
) => IOperator;

/** The operator constructors by urn: not exported, but reachable through what the SDK's own build leaves on its functions. */
export function operatorConstructor(urn: string): OperatorConstructor {
  const create = operators.createOperator as unknown as {
    __closure?: () => { operatorsByUrn?: Map<string, OperatorConstructor> };
  };
  const byUrn = expectInternal(create.__closure?.().operatorsByUrn, 'operatorsByUrn of worker/operators');
  return expectInternal(byUrn.get(urn), `the operator of ${urn}`);
}
