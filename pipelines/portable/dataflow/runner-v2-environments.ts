import '#pipelines/beam/compat.ts';
import { TRUNCATE_URN } from '#pipelines/beam/capabilities.ts';
import { SPLITTABLE_REQUIREMENT } from '#pipelines/beam/par-do.ts';
import { runnerApi, type PipelineProto } from '#pipelines/beam/sdk.ts';

const CONTAINER = 'beam:env:docker:v1';
const BY_DIGEST = /@sha256:[0-9a-f]{64}$/;
const STANDARD_CODER = /^beam:coder:(?!(?:genericobjectjs|bsonjs|numbersforjs):)[a-z0-9_]+:v\d+$/;

/** Where the steps run, and what is said of the workers there. */
export function environmentFaults({ components, requirements }: PipelineProto): string[] {
  if (components === undefined) return [];
  const standard = Object.values(components.coders)
    .map(({ spec }) => spec?.urn ?? '')
    .filter((urn) => STANDARD_CODER.test(urn));
  const needed = [
    ...new Set(standard),
    ...(requirements.includes(SPLITTABLE_REQUIREMENT) ? [TRUNCATE_URN] : []),
  ];
  const faults = Object.entries(components.environments).flatMap(([id, environment]) => {
    const { urn, payload, capabilities, dependencies } = environment;
    const image = urn === CONTAINER ? runnerApi.DockerPayload.fromBinary(payload).containerImage : '';
    return [
      ...(urn === CONTAINER ? [] : [`the environment ${id} is a '${urn}', and no container`]),
      ...(urn !== CONTAINER || BY_DIGEST.test(image)
        ? []
        : [`the environment ${id} names the image '${image}' without its digest`]),
      ...(dependencies.length === 0
        ? []
        : [`the environment ${id} asks for files to be staged, which the image has`]),
      ...needed
        .filter((capability) => !capabilities.includes(capability))
        .map((capability) => `the environment ${id} does not say that it can ${capability}`),
    ];
  });
  return Object.keys(components.environments).length === 0 ? ['it has no environment'] : faults;
}
