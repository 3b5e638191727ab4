import type { PTransform } from 'apache-beam/proto/beam_runner_api';
import type { Components, ParDoPayload } from 'apache-beam/proto/beam_runner_api';
import { buildGraph } from '#pipelines/beam/graph.ts';
import type { WindowedValue } from '#pipelines/beam/sdk.ts';
import {
  coders,
  DATA_SINK_URN,
  DATA_SOURCE_URN,
  fnApi,
  PAR_DO_URN,
  pipelines,
  protobuf,
  runnerApi,
} from '#pipelines/beam/sdk.ts';
import { inGlobalWindow } from '#pipelines/beam/windowed-value.ts';
import { dataPort, windowedCoder } from './fn-api-harness.ts';
import type { Build, DescribedStage, FnApiRunner, Stage } from './fn-api-harness.ts';

// What runners make of a splittable ParDo: its steps, in stages of their own. The wire differs from what the collections say where a runner
// puts a length before bytes that it cannot read, as Prism and Flink do with the element.

const STEPS = {
  pair: 'beam:transform:sdf_pair_with_restriction:v1',
  split: 'beam:transform:sdf_split_and_size_restrictions:v1',
  truncate: 'beam:transform:sdf_truncate_sized_restrictions:v1',
  process: 'beam:transform:sdf_process_sized_element_and_restrictions:v1',
} as const;

export interface SplittableStages {
  /** Elements to their sized restrictions, each as the bytes that `process` and `truncate` take. */
  readonly pair: Stage;
  /** Those, or residuals, to the outputs of the graph. */
  readonly process: Stage;
  readonly truncate: Stage;
}

/** The graph behind a source, taken apart. */
function takeApart(build: Build) {
  let outputId = '';
  const graph = buildGraph<never>((source) => {
    outputId = build(source)?.getId() ?? '';
  });
  const components = graph.proto.components ?? runnerApi.Components.create();
  const found = Object.entries(components.transforms).find(
    ([, { spec }]) => spec?.urn === PAR_DO_URN && payloadOf(spec.payload).restrictionCoderId !== '',
  );
  if (found === undefined) throw new Error('the graph has no splittable ParDo');
  const [id, transform] = found;
  return { components, outputId, sourceId: graph.sourceTransformId, id, transform };
}
type Parts = ReturnType<typeof takeApart>;

const payloadOf = (payload: Uint8Array): ParDoPayload => runnerApi.ParDoPayload.fromBinary(payload);

const coder = (urn: string, ...componentCoderIds: string[]) => ({
  spec: { urn, payload: new Uint8Array() },
  componentCoderIds,
});

/** The coders and collections between the steps; returns the ids of the coders on the wire. */
function addBetween({ components, transform }: Parts): { element: string; sized: string } {
  const [inputId = ''] = Object.values(transform.inputs);
  const input = components.pcollections[inputId];
  if (input === undefined) throw new Error('the splittable ParDo has no input');
  const { restrictionCoderId } = payloadOf(transform.spec?.payload ?? new Uint8Array());
  const window = components.windowingStrategies[input.windowingStrategyId]?.windowCoderId ?? '';
  Object.assign(components.coders, {
    size: coder('beam:coder:double:v1'),
    restricted: coder('beam:coder:kv:v1', input.coderId, restrictionCoderId),
    sized: coder('beam:coder:kv:v1', 'restricted', 'size'),
    wire_element: coder('beam:coder:length_prefix:v1', input.coderId),
    wire_restricted: coder('beam:coder:kv:v1', 'wire_element', restrictionCoderId),
    wire_sized: coder('beam:coder:kv:v1', 'wire_restricted', 'size'),
    port_element: windowedCoder('wire_element', window),
    port_sized: windowedCoder('wire_sized', window),
  });
  for (const coderId of ['restricted', 'sized', 'truncated'])
    components.pcollections[coderId] = {
      ...input,
      uniqueName: coderId,
      coderId: coderId === 'truncated' ? 'sized' : coderId,
    };
  return { element: 'port_element', sized: 'port_sized' };
}

const step = (parts: Parts, urn: string, input: string, output: string): PTransform => ({
  ...parts.transform,
  uniqueName: urn,
  spec: { urn, payload: parts.transform.spec?.payload ?? new Uint8Array() },
  inputs: { in: input },
  outputs: { out: output },
});

/** The transforms of the graph behind the splittable ParDo. */
function behind({ components, id, sourceId }: Parts): Components['transforms'] {
  return Object.fromEntries(
    Object.entries(components.transforms).filter(([of]) => of !== id && of !== sourceId),
  );
}

interface Ports {
  readonly url: string;
  readonly in: { readonly collection: string; readonly coder: string };
  readonly out?: { readonly collection: string; readonly coder: string };
}

function describe(parts: Parts, id: string, steps: Record<string, PTransform>, ports: Ports): DescribedStage {
  const { components } = parts;
  const source: PTransform = {
    ...parts.transform,
    uniqueName: 'source',
    spec: { urn: DATA_SOURCE_URN, payload: dataPort(ports.url, ports.in.coder) },
    inputs: {},
    outputs: { out: ports.in.collection },
  };
  const sink = ports.out && {
    ...source,
    uniqueName: 'sink',
    spec: { urn: DATA_SINK_URN, payload: dataPort(ports.url, ports.out.coder) },
    inputs: { in: ports.out.collection },
    outputs: {},
  };
  const { pcollections, windowingStrategies } = components;
  const context = new pipelines.PipelineContext(components, '');
  const coderOf = (coderId: string) => context.getCoder<WindowedValue<unknown>>(coderId);
  return {
    descriptor: fnApi.ProcessBundleDescriptor.create({
      id,
      transforms: { source, ...steps, ...(sink && { sink }) },
      pcollections,
      windowingStrategies,
      coders: components.coders,
    }),
    stage: {
      id,
      sourceTransformId: 'source',
      hasOutput: sink !== undefined,
      encode: (elements) => {
        const encoded = elements.map((element) =>
          element instanceof Uint8Array ? element : encode(coderOf(ports.in.coder), inGlobalWindow(element)),
        );
        return Buffer.concat(encoded);
      },
      decode: (data) => decode(coderOf(ports.out?.coder ?? ''), data),
    },
  };
}

type Coder = ReturnType<typeof pipelines.PipelineContext.prototype.getCoder<WindowedValue<unknown>>>;

function encode(of: Coder, value: WindowedValue<unknown>): Uint8Array {
  const writer = protobuf.Writer.create();
  of.encode(value, writer, coders.Context.needsDelimiters);
  return writer.finish();
}

function decode(of: Coder, data: Uint8Array): WindowedValue<unknown>[] {
  const reader = protobuf.Reader.create(data);
  const decoded: WindowedValue<unknown>[] = [];
  while (reader.pos < reader.len) decoded.push(of.decode(reader, coders.Context.needsDelimiters));
  return decoded;
}

/** Whole windowed values as the bytes a runner keeps. */
function asBytes({ descriptor, stage }: DescribedStage, parts: Parts): DescribedStage {
  const context = new pipelines.PipelineContext(parts.components, '');
  const of = context.getCoder<WindowedValue<unknown>>('port_sized');
  return {
    descriptor,
    stage: { ...stage, decode: (data) => decode(of, data).map((value) => encode(of, value)) },
  };
}

/** `build` is one splittable ParDo, and what comes behind it on the same worker. Outputs of `process` are whole windowed values. */
export function splittableStages(runner: FnApiRunner, build: Build): SplittableStages {
  const parts = takeApart(build);
  const coded = addBetween(parts);
  const { components, transform, outputId, id } = parts;
  const [input = ''] = Object.values(transform.inputs);
  const sized = { collection: 'sized', coder: coded.sized };
  const output = components.pcollections[outputId];
  const window = components.windowingStrategies[output?.windowingStrategyId ?? '']?.windowCoderId ?? '';
  components.coders['port_output'] = windowedCoder(output?.coderId ?? '', window);
  const pair = { pair: step(parts, STEPS.pair, input, 'restricted') };
  const split = { split: step(parts, STEPS.split, 'restricted', 'sized') };
  const process = { ...step(parts, STEPS.process, 'sized', ''), outputs: transform.outputs };
  const truncate = { truncate: step(parts, STEPS.truncate, 'sized', 'truncated') };
  const describeSized =
    (steps: Record<string, PTransform>, from: Ports['in'], to: string) => (url: string, of: string) =>
      asBytes(describe(parts, of, steps, { url, in: from, out: { ...sized, collection: to } }), parts);
  const behindIt = { [id]: process, ...behind(parts) };
  return {
    pair: runner.describe(
      describeSized({ ...pair, ...split }, { collection: input, coder: coded.element }, 'sized'),
    ),
    truncate: runner.describe(describeSized(truncate, sized, 'truncated')),
    process: runner.describe((url, of) =>
      describe(parts, of, behindIt, {
        url,
        in: sized,
        ...(output && { out: { collection: outputId, coder: 'port_output' } }),
      }),
    ),
  };
}
