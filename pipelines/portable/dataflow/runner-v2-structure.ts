import '#pipelines/beam/compat.ts';
import { COMBINE_PER_KEY_URN } from '#pipelines/beam/combining.ts';
import { GROUP_BY_KEY_URN } from '#pipelines/beam/grouping.ts';
import { SPLITTABLE_REQUIREMENT } from '#pipelines/beam/par-do.ts';
import { PAR_DO_URN, runnerApi, type PipelineProto, type PTransformProto } from '#pipelines/beam/sdk.ts';

const STATEFUL_REQUIREMENT = 'beam:requirement:pardo:stateful:v1';
const FINALIZATION_REQUIREMENT = 'beam:requirement:pardo:finalization:v1';
const STABLE_INPUT_REQUIREMENT = 'beam:requirement:pardo:stable_input:v1';

type Components = NonNullable<PipelineProto['components']>;

/** The steps that Runner v2 runs itself or has the worker run. Any other must be made of these. */
const KNOWN_STEPS = new Set([
  'beam:transform:impulse:v1',
  'beam:transform:flatten:v1',
  'beam:transform:window_into:v1',
  'beam:transform:reshuffle:v1',
  PAR_DO_URN,
  GROUP_BY_KEY_URN,
  COMBINE_PER_KEY_URN,
  // The parts of a combination, which workers run before and behind the shuffle.
  'beam:transform:combine_per_key_precombine:v1',
  'beam:transform:combine_per_key_merge_accumulators:v1',
  'beam:transform:combine_per_key_extract_outputs:v1',
]);
const KNOWN_REQUIREMENTS = new Set([
  STATEFUL_REQUIREMENT,
  FINALIZATION_REQUIREMENT,
  STABLE_INPUT_REQUIREMENT,
  SPLITTABLE_REQUIREMENT,
]);

/** Steps, what they are made of, what goes between them, and what the whole says that it needs. */
export function structureFaults(proto: PipelineProto): string[] {
  const { components } = proto;
  if (components === undefined || proto.rootTransformIds.length === 0) return ['it has no step'];
  const reached = reachedFrom(proto.rootTransformIds, components);
  return [
    ...rootFaults(proto, reached),
    ...Object.entries(components.transforms).flatMap(([id, step]) => stepFaults(id, step, components)),
    ...nameFaults(components),
    ...collectionFaults(components),
    ...requirementFaults(proto),
  ];
}

/** Each step with how often it is named as a root or a part. */
function reachedFrom(roots: readonly string[], { transforms }: Components): Map<string, number> {
  const reached = new Map<string, number>();
  const visit = (id: string): void => {
    const times = (reached.get(id) ?? 0) + 1;
    reached.set(id, times);
    if (times === 1) transforms[id]?.subtransforms.forEach(visit);
  };
  roots.forEach(visit);
  return reached;
}

function rootFaults({ components }: PipelineProto, reached: ReadonlyMap<string, number>): string[] {
  const ids = Object.keys(components?.transforms ?? {});
  return [
    ...ids.filter((id) => !reached.has(id)).map((id) => `step ${id} belongs to no other and is no root`),
    ...[...reached].flatMap(([id, times]) => [
      ...(ids.includes(id) ? [] : [`there is no step ${id}`]),
      ...(times > 1 ? [`step ${id} is a part ${times} times`] : []),
    ]),
  ];
}

function stepFaults(id: string, step: PTransformProto, components: Components): string[] {
  const urn = step.spec?.urn ?? '';
  const named = [...Object.values(step.inputs), ...Object.values(step.outputs)];
  const passesOn = Object.values(step.outputs).every((output) => Object.values(step.inputs).includes(output));
  const isPrimitive = step.subtransforms.length === 0 && !(urn === '' && passesOn);
  return [
    ...named
      .filter((collection) => !(collection in components.pcollections))
      .map((collection) => `step ${id} names the collection ${collection}, which is not there`),
    ...(isPrimitive && !KNOWN_STEPS.has(urn)
      ? [`step ${id} (${step.uniqueName}) is a '${urn}', which nobody knows`]
      : []),
    ...(urn === PAR_DO_URN ? parDoFaults(id, step, components) : []),
  ];
}

function parDoFaults(id: string, { spec, environmentId }: PTransformProto, components: Components): string[] {
  const { doFn, restrictionCoderId } = runnerApi.ParDoPayload.fromBinary(spec?.payload ?? new Uint8Array());
  return [
    ...(environmentId in components.environments ? [] : [`step ${id} is run nowhere: '${environmentId}'`]),
    ...(doFn === undefined || doFn.urn === '' ? [`step ${id} has no DoFn`] : []),
    ...(restrictionCoderId === '' || restrictionCoderId in components.coders
      ? []
      : [`the restrictions of step ${id} have the coder ${restrictionCoderId}, which is not there`]),
  ];
}

/** Names are how Dataflow shows steps, and how it finds those of the job that another one replaces. */
function nameFaults({ transforms }: Components): string[] {
  const names = Object.values(transforms).map(({ uniqueName }) => uniqueName);
  return [...new Set(names)].flatMap((name) => [
    ...(name === '' ? ['a step has no name'] : []),
    ...(names.indexOf(name) === names.lastIndexOf(name) ? [] : [`several steps are named '${name}'`]),
  ]);
}

function collectionFaults({ pcollections, transforms, coders, windowingStrategies }: Components): string[] {
  const primitives = Object.values(transforms).filter(({ subtransforms }) => subtransforms.length === 0);
  const produced = new Set(
    primitives.flatMap(({ inputs, outputs }) =>
      Object.values(outputs).filter((output) => !Object.values(inputs).includes(output)),
    ),
  );
  return Object.entries(pcollections).flatMap(([id, { coderId, windowingStrategyId, isBounded }]) => [
    ...(produced.has(id) ? [] : [`the collection ${id} comes from no step`]),
    ...(coderId in coders ? [] : [`the collection ${id} has the coder '${coderId}', which is not there`]),
    ...(windowingStrategyId in windowingStrategies
      ? []
      : [`the collection ${id} has the windowing '${windowingStrategyId}', which is not there`]),
    ...(isBounded === runnerApi.IsBounded_Enum.UNSPECIFIED
      ? [`the collection ${id} does not say whether it has an end`]
      : []),
  ]);
}

/** A runner that does not look into a step knows only what the pipeline declares. */
function requirementFaults({ components, requirements }: PipelineProto): string[] {
  const needed = new Set(
    Object.values(components?.transforms ?? {}).flatMap(({ spec }) =>
      spec?.urn === PAR_DO_URN ? requiredBy(spec.payload) : [],
    ),
  );
  return [
    ...[...needed]
      .filter((requirement) => !requirements.includes(requirement))
      .map((requirement) => `it does not declare that it needs ${requirement}`),
    ...requirements
      .filter((requirement) => !KNOWN_REQUIREMENTS.has(requirement))
      .map((requirement) => `it needs ${requirement}, which Runner v2 does not have`),
  ];
}

function requiredBy(payload: Uint8Array): string[] {
  const parDo = runnerApi.ParDoPayload.fromBinary(payload);
  const isStateful =
    Object.keys(parDo.stateSpecs).length > 0 || Object.keys(parDo.timerFamilySpecs).length > 0;
  return [
    ...(parDo.restrictionCoderId === '' ? [] : [SPLITTABLE_REQUIREMENT]),
    ...(isStateful ? [STATEFUL_REQUIREMENT] : []),
    ...(parDo.requestsFinalization ? [FINALIZATION_REQUIREMENT] : []),
    ...(parDo.requiresStableInput ? [STABLE_INPUT_REQUIREMENT] : []),
  ];
}
