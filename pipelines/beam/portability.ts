import './compat.ts';
import type { Pipeline as PipelineProto } from 'apache-beam/proto/beam_runner_api';
import { moduleUrl } from './module-names.ts';
import { registeredModules } from './registration.ts';
import type { PCollection } from './sdk.ts';
import { SPLITTABLE_REQUIREMENT } from './par-do.ts';
import { beam, pipelines, PAR_DO_URN, runnerApi, serialize } from './sdk.ts';

/** A pipeline that would not mean the same in a worker. */
export class NotPortable extends Error {
  constructor(problems: readonly string[]) {
    super(`the pipeline is not portable:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
    this.name = 'NotPortable';
  }
}

interface Content {
  readonly kind: string;
  readonly name?: string;
  readonly source?: string;
  readonly prototype?: number;
}
interface Payload {
  readonly transform: string;
  readonly bytes: Uint8Array;
}

const COMBINE_URN_PREFIX = 'beam:transform:combine_';
/** Objects whose content is not in their fields: they arrive empty, and throw when they are used. */
const OPAQUE = /^(?:(?:Weak)?(?:Map|Set)|Promise|(?:Shared)?ArrayBuffer|DataView|\w+Array)\.prototype$/;

function payloadsOf({ components }: PipelineProto): Payload[] {
  return Object.values(components?.transforms ?? {}).flatMap(({ uniqueName: transform, spec }) => {
    if (spec === undefined || spec.payload.length === 0) return [];
    const fn =
      spec.urn === PAR_DO_URN
        ? runnerApi.ParDoPayload.fromBinary(spec.payload).doFn
        : spec.urn.startsWith(COMBINE_URN_PREFIX)
          ? runnerApi.CombinePayload.fromBinary(spec.payload).combineFn
          : undefined;
    return fn && fn.payload.length > 0 ? [{ transform, bytes: fn.payload }] : [];
  });
}

const contentsOf = ({ bytes }: Payload): Content[] =>
  (JSON.parse(new TextDecoder().decode(bytes)) as { data: Content[] }).data;

const zero = (): number => 0;
const keep = (value: number): number => value;
const keepAll = (value: number): number[] => [value];
const first = { createAccumulator: () => 0, addInput: keep, mergeAccumulators: () => 0, extractOutput: keep };

/** The SDK's own transforms carry functions by source, which its build made fit for that. A pipeline with all of them shows which. */
function sdkSources(): Set<string> {
  const pipeline = new pipelines.Pipeline();
  const numbers: PCollection<number> = new beam.Root(pipeline).apply(beam.impulse()).map(zero);
  numbers.map(keep).flatMap(keepAll);
  const windows = [beam.globalWindows(), beam.fixedWindows(1), beam.slidingWindows(2, 1), beam.sessions(1)];
  windows.forEach((window, i) => void numbers.apply(beam.withName(`windows ${i}`, beam.windowInto(window))));
  numbers.apply(beam.withName('plain', beam.groupBy(keep, 'key')));
  numbers.apply(beam.groupBy(keep, 'key').combining(keep, first, 'first'));
  numbers.apply(beam.groupGlobally<number>().combining(keep, first, 'first'));
  const ours = new Set([zero, keep, keepAll, ...Object.values(first)].map(String));
  const sources = payloadsOf(pipeline.getProto())
    .flatMap(contentsOf)
    .map(({ source }) => source ?? '');
  return new Set(sources.filter((source) => !ours.has(source)));
}

const NATIVE_PRIVATE_FIELD = /\.#[A-Za-z_]/;

function usesPrivateFields(value: unknown): boolean {
  const { doFn, combineFn } = value as { doFn?: object; combineFn?: object };
  const fn = doFn ?? combineFn;
  return fn !== undefined && NATIVE_PRIVATE_FIELD.test(Function.prototype.toString.call(fn.constructor));
}

function problemsOf(payload: Payload, bySource: ReadonlySet<string>): string[] {
  const { transform, bytes } = payload;
  const contents = contentsOf(payload);
  const problems = contents.flatMap(({ kind, source = '', prototype }) => {
    if (kind === 'function' && !bySource.has(source))
      return [`${transform}: a function goes by source: ${source.slice(0, 120)}`];
    const parent = kind === 'object' && prototype !== undefined ? contents[prototype]?.name : undefined;
    return parent !== undefined && OPAQUE.test(parent)
      ? [`${transform}: a field is a ${parent.split('.')[0] ?? ''}, which arrives empty`]
      : [];
  });
  try {
    if (usesPrivateFields(serialize.deserializeFn(bytes)))
      problems.push(`${transform}: its class has #private fields, which do not arrive`);
  } catch (error) {
    problems.push(`${transform}: it cannot be restored: ${String(error)}`);
  }
  return problems;
}

function moduleProblem(name: string): string[] {
  try {
    moduleUrl(name);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** A runner that is not told takes a splittable ParDo for an ordinary one, which reads its elements once. */
function splittableProblems({ components, requirements }: PipelineProto): string[] {
  return Object.values(components?.transforms ?? {}).flatMap(({ uniqueName, spec }) => {
    if (spec?.urn !== PAR_DO_URN) return [];
    const { restrictionCoderId } = runnerApi.ParDoPayload.fromBinary(spec.payload);
    if (restrictionCoderId === '') return [];
    return [
      ...(requirements.includes(SPLITTABLE_REQUIREMENT)
        ? []
        : [`${uniqueName}: it is splittable, and the pipeline does not require runners to know that`]),
      ...(components?.coders[restrictionCoderId] === undefined
        ? [`${uniqueName}: the coder of its restrictions is missing`]
        : []),
    ];
  });
}

/**
 * Throws NotPortable unless every function of the pipeline is registered, so that it travels by name, is restored by a worker,
 * and holds nothing that would arrive empty; unless what is splittable is declared so; and unless every registered module is where
 * workers look for it.
 */
export function assertPortable(pipeline: PipelineProto): void {
  const bySource = sdkSources();
  const problems = [
    ...registeredModules().flatMap(moduleProblem),
    ...splittableProblems(pipeline),
    ...payloadsOf(pipeline).flatMap((payload) => problemsOf(payload, bySource)),
  ];
  if (problems.length > 0) throw new NotPortable(problems);
}
