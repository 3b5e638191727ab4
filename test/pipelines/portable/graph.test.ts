import { expect } from 'chai';
import { LOCAL_FEEDS } from '#infra/local/open-local.ts';
import { assertPortable } from '#pipelines/beam/portability.ts';
import { buildPipeline } from '#pipelines/beam/graph.ts';
import { runnerApi } from '#pipelines/beam/sdk.ts';
import { buildPortableUsageGraph, type PortableUsageOptions } from '#pipelines/portable/graph.ts';

const feeds = Object.values(LOCAL_FEEDS);

const build = (options: Partial<PortableUsageOptions> = {}) =>
  buildPipeline((root) => buildPortableUsageGraph(root, { feeds, ...options }));

describe('the usage graph of distributed runners', () => {
  it('carries every function by name, so that any worker can load it', () => {
    expect(() => assertPortable(build())).not.to.throw();
  });

  it('has the same steps for each feed, from its readers to its commit', () => {
    const names = Object.values(build().components?.transforms ?? {}).map(({ uniqueName }) => uniqueName);
    for (const step of ['readers', 'pull', 'parse', 'shard', 'window', 'group', 'ungroup', 'commit'])
      for (const { feed } of feeds)
        expect(names.filter((name) => name === `${feed}/${step}`)).to.have.length(1);
  });

  it('is read without an end by a source that only needs what runners know', () => {
    const { components, requirements } = build();
    expect(requirements).to.include('beam:requirement:pardo:splittable_dofn:v1');
    const unbounded = Object.values(components?.pcollections ?? {}).filter(
      ({ isBounded }) => isBounded === runnerApi.IsBounded_Enum.UNBOUNDED,
    );
    expect(unbounded).to.not.be.empty;
  });

  it('groups in the global window by count and time, late for nobody, and holds the watermark at what it has not committed', () => {
    const { components } = build({ batches: 77, delayMs: 250 });
    const grouped = Object.values(components?.windowingStrategies ?? {}).filter(
      ({ trigger }) => trigger?.trigger.oneofKind === 'repeat',
    );
    expect(grouped).to.not.be.empty;
    for (const strategy of grouped) {
      expect(strategy.outputTime).to.equal(runnerApi.OutputTime_Enum.EARLIEST_IN_PANE);
      expect(strategy.accumulationMode).to.equal(runnerApi.AccumulationMode_Enum.DISCARDING);
      expect(runnerApi.Trigger.toJsonString(strategy.trigger ?? runnerApi.Trigger.create()))
        .to.contain('77')
        .and.to.contain('250');
    }
  });

  it('is refused without feeds, and with readers or shards of no sensible number', () => {
    expect(() => build({ feeds: [] })).to.throw(RangeError);
    for (const wrong of [{ readersPerFeed: 0 }, { readersPerFeed: 1_001 }, { shards: 0 }])
      expect(() => build(wrong), JSON.stringify(wrong)).to.throw(RangeError);
  });
});
