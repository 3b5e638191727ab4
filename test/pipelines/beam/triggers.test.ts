import { expect } from 'chai';
import fc from 'fast-check';
import { buildGraph } from '#pipelines/beam/graph.ts';
import { beam, runnerApi } from '#pipelines/beam/sdk.ts';
import {
  afterAny,
  afterCount,
  afterProcessingTime,
  afterWatermark,
  groupingWindow,
  repeatedly,
  windowingStrategy,
} from '#pipelines/beam/triggers.ts';
import type { Trigger } from '#pipelines/beam/triggers.ts';

const amount = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const { trigger: triggers } = fc.letrec<{ trigger: Trigger }>((tie) => ({
  trigger: fc.oneof(
    { maxDepth: 3 },
    amount.map(afterCount),
    amount.map(afterProcessingTime),
    tie('trigger').map(repeatedly),
    fc.array(tie('trigger'), { minLength: 1, maxLength: 3 }).map((subtriggers) => afterAny(...subtriggers)),
    fc.record({ early: tie('trigger'), late: tie('trigger') }, { requiredKeys: [] }).map(afterWatermark),
  ),
}));

describe('triggers', () => {
  it('are the same after a way through the proto', () => {
    fc.assert(
      fc.property(triggers, fc.nat(), (trigger, allowedLatenessMs) => {
        const strategy = windowingStrategy({ trigger, allowedLatenessMs, accumulation: 'accumulating' });
        const { WindowingStrategy } = runnerApi;
        expect(WindowingStrategy.fromBinary(WindowingStrategy.toBinary(strategy))).to.deep.equal(strategy);
      }),
    );
  });

  it('group by count or time, again and again, in the global window, and keep nothing of what was fired', () => {
    const { proto } = buildGraph(
      (source) => void source.apply(groupingWindow({ elements: 500, delayMs: 1000 })),
    );
    const { components } = runnerApi.Pipeline.fromBinary(runnerApi.Pipeline.toBinary(proto));
    const strategies = Object.values(components?.windowingStrategies ?? {});
    const strategy = strategies.find(({ trigger }) => trigger?.trigger.oneofKind === 'repeat');
    expect(strategy).to.include({
      accumulationMode: runnerApi.AccumulationMode_Enum.DISCARDING,
      allowedLateness: 0n,
    });
    expect(strategy?.windowFn?.urn).to.equal('beam:window_fn:global_windows:v1');
    expect(strategy?.trigger).to.deep.equal(repeatedly(afterAny(afterCount(500), afterProcessingTime(1000))));
    const names = Object.values(components?.transforms ?? {}).map(({ uniqueName }) => uniqueName);
    expect(names).to.include('groupingWindow');
  });

  it('hold for the windows they are given with', () => {
    const strategy = windowingStrategy({ trigger: afterWatermark() });
    const { proto } = buildGraph(
      (source) => void source.apply(beam.withName('w', beam.windowInto(beam.fixedWindows(60), strategy))),
    );
    const found = Object.values(proto.components?.windowingStrategies ?? {}).map(
      ({ windowFn }) => windowFn?.urn,
    );
    expect(found).to.include('beam:window_fn:fixed_windows:v1');
  });

  it('refuse counts, delays and latenesses that no runner could keep', () => {
    for (const bad of [0, -1, 0.5, NaN, Infinity]) {
      expect(() => afterCount(bad)).to.throw(RangeError);
      expect(() => afterProcessingTime(bad)).to.throw(RangeError);
    }
    expect(() => afterAny()).to.throw(RangeError);
    expect(() => windowingStrategy({ trigger: afterCount(1), allowedLatenessMs: -1 })).to.throw(RangeError);
  });
});
