import { expect } from 'chai';
import { LOCAL_FEEDS } from '#infra/local/open-local.ts';
import { READ_URN } from '#pipelines/beam/native-read.ts';
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

  it('has behind the commits of a read of the runner their markers, by the watermark, and nothing of ours that reads', () => {
    const payload = new Uint8Array([1, 2, 3]);
    const reads = new Map(feeds.map(({ feed }) => [feed, { payload }]));
    const proto = build({ reads });
    expect(() => assertPortable(proto)).not.to.throw();
    expect(proto.requirements).to.deep.equal([]);
    const transforms = Object.values(proto.components?.transforms ?? {});
    for (const { feed } of feeds) {
      const read = transforms.find(({ uniqueName }) => uniqueName === `${feed}/read`);
      expect(read?.spec).to.deep.include({ urn: READ_URN, payload });
      expect(read?.environmentId).to.equal('');
      for (const step of ['message', 'parse', 'group', 'commit', 'slots', 'passed', 'record'])
        expect(transforms.filter(({ uniqueName }) => uniqueName === `${feed}/${step}`)).to.have.length(1);
    }
    const passed = Object.values(proto.components?.windowingStrategies ?? {}).filter(
      ({ trigger }) => trigger?.trigger.oneofKind === 'afterEndOfWindow',
    );
    expect(passed).to.not.be.empty;
    for (const { allowedLateness } of passed) expect(allowedLateness).to.equal(0n);
  });

  it('is refused where the runner does not read every feed', () => {
    expect(() => build({ reads: new Map() })).to.throw(RangeError, /no read of the feed/);
  });

  it('is refused without feeds, and with readers or shards of no sensible number', () => {
    expect(() => build({ feeds: [] })).to.throw(RangeError);
    for (const wrong of [{ readersPerFeed: 0 }, { readersPerFeed: 1_001 }, { shards: 0 }])
      expect(() => build(wrong), JSON.stringify(wrong)).to.throw(RangeError);
  });
});
