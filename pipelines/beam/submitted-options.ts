import './compat.ts';
import type { Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import type { Struct } from 'apache-beam/proto/google/protobuf/struct';
import { registeredModules } from './registration.ts';
import { runnerApi, structs } from './sdk.ts';

export type OptionValue =
  string | number | boolean | null | readonly OptionValue[] | { readonly [name: string]: OptionValue };

/** Options of a job by their names in camelCase; those that are undefined are left out. Runners that want numbers as strings are given strings. */
export type SubmittedOptions = Readonly<Record<string, OptionValue | undefined>>;

/**
 * The options as they are sent with a job: what was given, under the names that runners and workers know; that it streams, when a collection
 * has no end; its name; and the modules that its workers load.
 */
export function submittedOptions(
  name: string,
  proto: PipelineProto,
  options: SubmittedOptions,
): Record<string, OptionValue> {
  const all: SubmittedOptions = {
    jobName: name,
    ...(isStreaming(proto) && { streaming: true }),
    ...options,
    registeredNodeModules: registeredModules(),
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[urnOf(key), value]])),
  );
}

export const asStruct = (options: Readonly<Record<string, OptionValue>>): Struct =>
  structs.Struct.fromJson(options as Parameters<typeof structs.Struct.fromJson>[0]);

/** Whether some collection of it has no end, so that the job goes on until it is stopped. */
export const isStreaming = ({ components }: PipelineProto): boolean =>
  Object.values(components?.pcollections ?? {}).some(
    ({ isBounded }) => isBounded === runnerApi.IsBounded_Enum.UNBOUNDED,
  );

const urnOf = (name: string): string =>
  `beam:option:${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}:v1`;
