import '#pipelines/beam/compat.ts';
import { COMBINE_PER_KEY_URN } from '#pipelines/beam/combining.ts';
import { GROUP_BY_KEY_URN } from '#pipelines/beam/grouping.ts';
import type { PipelineProto } from '#pipelines/beam/sdk.ts';

type Components = NonNullable<PipelineProto['components']>;

const KV = 'beam:coder:kv:v1';

/** Beam's own coders, each with how many others it is made of. Runner v2 reads them; of any other it sees bytes with their length. */
const STANDARD: ReadonlyMap<string, number> = new Map([
  ['beam:coder:bytes:v1', 0],
  ['beam:coder:string_utf8:v1', 0],
  ['beam:coder:bool:v1', 0],
  ['beam:coder:varint:v1', 0],
  ['beam:coder:double:v1', 0],
  ['beam:coder:global_window:v1', 0],
  ['beam:coder:interval_window:v1', 0],
  ['beam:coder:length_prefix:v1', 1],
  ['beam:coder:iterable:v1', 1],
  ['beam:coder:nullable:v1', 1],
  [KV, 2],
  ['beam:coder:windowed_value:v1', 2],
]);

/** Encodings of equal keys are equal bytes: what a runner groups by. */
const OF_KEYS = new Set([
  'beam:coder:bytes:v1',
  'beam:coder:string_utf8:v1',
  'beam:coder:bool:v1',
  'beam:coder:varint:v1',
]);

/** How elements are written, and whether a runner can take them apart where it has to. */
export function coderFaults({ components }: PipelineProto): string[] {
  if (components === undefined) return [];
  return [
    ...Object.keys(components.coders).flatMap((id) => oneCoderFaults(id, components)),
    ...Object.entries(components.transforms).flatMap(([id, { spec, inputs }]) =>
      spec?.urn === GROUP_BY_KEY_URN || spec?.urn === COMBINE_PER_KEY_URN
        ? keyFaults(id, Object.values(inputs), components)
        : [],
    ),
  ];
}

function oneCoderFaults(id: string, { coders }: Components): string[] {
  const { spec, componentCoderIds = [] } = coders[id] ?? {};
  const missing = componentCoderIds
    .filter((part) => !(part in coders))
    .map((part) => `the coder ${id} is made of ${part}, which is not there`);
  const urn = spec?.urn ?? '';
  const parts = STANDARD.get(urn);
  if (urn === '') return [...missing, `the coder ${id} has no urn`];
  // One of ours is opaque. If it were made of others, a runner that wraps it would leave those bare.
  if (parts === undefined && componentCoderIds.length > 0)
    return [...missing, `the coder ${id} (${urn}) is made of others, but only those of Beam may be`];
  if (parts !== undefined && parts !== componentCoderIds.length)
    return [
      ...missing,
      `the coder ${id} (${urn}) is made of ${componentCoderIds.length} others, not of ${parts}`,
    ];
  return missing;
}

/** A grouping takes pairs whose keys the runner itself can compare. */
function keyFaults(id: string, inputs: readonly string[], { pcollections, coders }: Components): string[] {
  return inputs.flatMap((input) => {
    const coder = coders[pcollections[input]?.coderId ?? ''];
    if (coder?.spec?.urn !== KV)
      return [`step ${id} groups the collection ${input}, whose elements are no pairs`];
    const urn = coders[coder.componentCoderIds[0] ?? '']?.spec?.urn ?? '';
    return OF_KEYS.has(urn)
      ? []
      : [`step ${id} groups by keys that are written with ${urn}: equal ones may differ`];
  });
}
