import { expect } from 'chai';
import { workerCapabilities } from '#pipelines/beam/capabilities.ts';
import { combinePerKey } from '#pipelines/beam/combining.ts';
import { pinEnvironment } from '#pipelines/beam/environments.ts';
import { fanOut, impulse } from '#pipelines/beam/fan-out.ts';
import { apply, buildPipeline } from '#pipelines/beam/graph.ts';
import { fixedWindows, groupPerKey } from '#pipelines/beam/grouping.ts';
import { runnerApi, type PipelineProto } from '#pipelines/beam/sdk.ts';
import { afterCount, afterWatermark, repeatedly } from '#pipelines/beam/triggers.ts';
import {
  assertRunnerV2,
  GRAPH_BYTES_MAX,
  NotForRunnerV2,
  runnerV2Faults,
} from '#pipelines/portable/dataflow/runner-v2.ts';
import { IMAGE, usagePipeline } from './examples.ts';

const keyOf = (value: number): string => String(value % 2);
const sum = {
  createAccumulator: () => 0,
  addInput: (total: number, value: number) => total + value,
  mergeAccumulators: (totals: Iterable<number>) => [...totals].reduce((one, other) => one + other, 0),
  extractOutput: (total: number) => total,
};

type Components = NonNullable<PipelineProto['components']>;
type Step = Components['transforms'][string];

const pinned = (): PipelineProto => pinEnvironment(usagePipeline(), { kind: 'container', image: IMAGE });
const PAR_DO = 'beam:transform:pardo:v1';

const stepOf = ({ transforms }: Components, holds: (step: Step) => boolean): Step =>
  Object.values(transforms).find(holds)!;
const grouping = (components: Components): Step =>
  stepOf(components, ({ spec }) => spec?.urn === 'beam:transform:group_by_key:v1');
const windowingOfGroups = (components: Components) =>
  components.windowingStrategies[
    components.pcollections[grouping(components).inputs['main']!]!.windowingStrategyId
  ]!;
const environmentOf = ({ environments }: Components) => Object.values(environments)[0]!;

function changeParDo(
  components: Components,
  change: (payload: ReturnType<typeof runnerApi.ParDoPayload.create>) => void,
): void {
  const { spec } = stepOf(components, (step) => step.spec?.urn === PAR_DO && isSplittable(step));
  const payload = runnerApi.ParDoPayload.fromBinary(spec!.payload);
  change(payload);
  spec!.payload = runnerApi.ParDoPayload.toBinary(payload);
}
const isSplittable = ({ spec }: Step): boolean =>
  runnerApi.ParDoPayload.fromBinary(spec!.payload).restrictionCoderId !== '';

/** Each makes of the usage graph one that Runner v2 does not take, and says what is then told of it. */
const SPOILINGS: Readonly<
  Record<string, readonly [(components: Components, proto: PipelineProto) => void, RegExp]>
> = {
  'a step of which nobody knows what it is': [
    (components) => void (grouping(components).spec!.urn = 'millrace:source:inject:v1'),
    /'millrace:source:inject:v1', which nobody knows/,
  ],
  'a collection that is not there': [
    (components) => void (grouping(components).inputs['main'] = 'pc_gone'),
    /names the collection pc_gone/,
  ],
  'a collection that comes from nowhere': [
    (components) => {
      components.pcollections['pc_more'] = {
        ...Object.values(components.pcollections)[0]!,
        uniqueName: 'pc_more',
      };
    },
    /pc_more comes from no step/,
  ],
  'a step that is no part of it': [
    (components) => {
      components.transforms['stray'] = { ...grouping(components), uniqueName: 'stray' };
    },
    /stray belongs to no other/,
  ],
  'a part that is not there': [
    (_, proto) => void proto.rootTransformIds.push('gone'),
    /there is no step gone/,
  ],
  'no step at all': [(_, proto) => void (proto.rootTransformIds = []), /no step/],
  'a coder that is not there': [
    (components) => void (Object.values(components.pcollections)[0]!.coderId = 'gone'),
    /the coder 'gone'/,
  ],
  'a coder of ours that is made of others': [
    (components) => {
      const [id] = Object.entries(components.coders).find(([, { spec }]) =>
        spec?.urn.startsWith('millrace:'),
      )!;
      components.coders[id]!.componentCoderIds = [Object.keys(components.coders)[0]!];
    },
    /is made of others/,
  ],
  'pairs of three': [
    (components) => {
      const pair = Object.values(components.coders).find(({ spec }) => spec?.urn === 'beam:coder:kv:v1')!;
      pair.componentCoderIds.push(pair.componentCoderIds[0]!);
    },
    /made of 3 others, not of 2/,
  ],
  'keys whose equals may be written in other words': [
    (components) => {
      const { coderId } = components.pcollections[grouping(components).inputs['main']!]!;
      const pair = components.coders[coderId]!;
      pair.componentCoderIds[0] = pair.componentCoderIds[1]!;
    },
    /groups by keys that are written with millrace:coder:deliveries:v1/,
  ],
  'a windowing that is not there': [
    (components) => void (Object.values(components.pcollections)[0]!.windowingStrategyId = 'gone'),
    /the windowing 'gone'/,
  ],
  'windows of our own': [
    (components) => void (windowingOfGroups(components).windowFn!.urn = 'millrace:window:v1'),
    /'millrace:window:v1', which a runner cannot assign/,
  ],
  'a grouping that waits for the end of time': [
    (components) => {
      const { repeat: _, ...rest } = {
        repeat: 0,
        trigger: afterWatermark({ late: repeatedly(afterCount(1)) }),
      };
      Object.assign(windowingOfGroups(components), rest);
    },
    /its trigger never fires/,
  ],
  'a trigger without its parts': [
    (components) => {
      windowingOfGroups(components).trigger = runnerApi.Trigger.create({
        trigger: { oneofKind: 'afterAny', afterAny: { subtriggers: [] } },
      });
    },
    /a trigger without its parts/,
  ],
  'panes that take back what they said': [
    (components) => {
      windowingOfGroups(components).accumulationMode = runnerApi.AccumulationMode_Enum.RETRACTING;
    },
    /neither discards nor accumulates/,
  ],
  'two steps of one name': [
    (components) =>
      void (grouping(components).uniqueName = Object.values(components.transforms)[0]!.uniqueName),
    /several steps are named/,
  ],
  'a splittable DoFn without the requirement': [
    (_, proto) => void (proto.requirements = []),
    /splittable_dofn/,
  ],
  'a requirement that Runner v2 does not have': [
    (_, proto) => void proto.requirements.push('beam:requirement:pardo:time_sorted_input:v1'),
    /time_sorted_input:v1, which Runner v2 does not have/,
  ],
  'a restriction whose coder is not there': [
    (components) => changeParDo(components, (payload) => void (payload.restrictionCoderId = 'gone')),
    /have the coder gone/,
  ],
  'a step with finalization that does not say so': [
    (components) => changeParDo(components, (payload) => void (payload.requestsFinalization = true)),
    /finalization:v1/,
  ],
  'a step that is run nowhere': [
    (components) => void (stepOf(components, ({ spec }) => spec?.urn === PAR_DO).environmentId = 'gone'),
    /is run nowhere: 'gone'/,
  ],
  'an image that can change under its name': [
    (components) => {
      environmentOf(components).payload = runnerApi.DockerPayload.toBinary({
        containerImage: 'acme/worker:latest',
      });
    },
    /without its digest/,
  ],
  'workers that cannot drain': [
    (components) =>
      void (environmentOf(components).capabilities = workerCapabilities().filter(
        (one) => !one.includes('truncate'),
      )),
    /can beam:transform:sdf_truncate_sized_restrictions:v1/,
  ],
  'workers that cannot read pairs': [
    (components) =>
      void (environmentOf(components).capabilities = workerCapabilities().filter(
        (one) => !one.includes(':kv:'),
      )),
    /can beam:coder:kv:v1/,
  ],
  'files that would have to be staged': [
    (components) =>
      void environmentOf(components).dependencies.push(runnerApi.ArtifactInformation.create({})),
    /asks for files to be staged/,
  ],
};

describe('the usage graph on Runner v2', () => {
  it('has nothing that Dataflow does not take', () => {
    expect(runnerV2Faults(pinned())).to.deep.equal([]);
  });

  it('runs in a container and nowhere else', () => {
    const local = pinEnvironment(usagePipeline(), { kind: 'process', command: 'worker.sh', environment: {} });
    expect(runnerV2Faults(local).join('\n')).to.match(/beam:env:process:v1.*and no container/);
    expect(runnerV2Faults(usagePipeline()).join('\n')).to.match(/js_default.*and no container/);
  });

  it('is small enough to be taken', () => {
    expect(runnerApi.Pipeline.toBinary(pinned()).length).to.be.lessThan(GRAPH_BYTES_MAX / 100);
    expect(() => assertRunnerV2(pinned(), GRAPH_BYTES_MAX + 1)).to.throw(NotForRunnerV2, 'bytes');
    expect(() => assertRunnerV2(pinned(), GRAPH_BYTES_MAX)).not.to.throw();
  });
});

describe('a bounded pipeline on Runner v2', () => {
  it('may read, window, combine and group, as those of reconciliations and backfills do', () => {
    const proto = buildPipeline((root) => {
      const numbers = apply('numbers', impulse(root), fanOut([1, 2, 3]));
      const windowed = apply('windows', numbers, fixedWindows<number>(3_600));
      apply('combined', windowed, combinePerKey(keyOf, sum));
      apply('grouped', windowed, groupPerKey(keyOf));
    });
    expect(runnerV2Faults(pinEnvironment(proto, { kind: 'container', image: IMAGE }))).to.deep.equal([]);
  });
});

describe('the check for Runner v2', () => {
  for (const [what, [spoil, told]] of Object.entries(SPOILINGS))
    it(`notices ${what}`, () => {
      const proto = pinned();
      spoil(proto.components!, proto);
      expect(runnerV2Faults(proto).join('\n')).to.match(told);
      expect(() => assertRunnerV2(proto, 0)).to.throw(NotForRunnerV2);
    });
});
