import { expect } from 'chai';
import { compileCatalogue } from '#domain/metering/catalogue.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { splitByRows } from '#infra/usage/commit-bound.ts';
import { delivery } from './usage-fixture.ts';

const METERS = 200;

const meter = (index: number): MeterVersion => ({
  key: `meter-${index}`,
  version: 1,
  generation: 1,
  definition: { name: 'Each', eventType: 'wide', aggregation: 'count', dimensions: { model: 'model' } },
  state: 'active',
  since: 1,
  until: null,
});

describe('a commit', () => {
  const catalogue = compileCatalogue(
    'default',
    1,
    Array.from({ length: METERS }, (_, index) => meter(index)),
  );

  it('takes as many events as its rows allow, all of them in their order', () => {
    const deliveries = Array.from({ length: 1_000 }, (_, index) =>
      delivery({ id: String(index), type: 'wide' }),
    );
    const runs = splitByRows(() => catalogue, deliveries);
    expect(runs.map(({ length }) => length)).to.deep.equal([249, 249, 249, 249, 4]);
    expect(runs.flat()).to.deep.equal(deliveries);
  });

  it('counts an event that no meter counts as one row', () => {
    const deliveries = Array.from({ length: 5 }, (_, index) =>
      delivery({ id: String(index), type: 'plain' }),
    );
    expect(splitByRows(() => catalogue, deliveries, 2).map(({ length }) => length)).to.deep.equal([2, 2, 1]);
  });

  it('takes an event alone that exceeds the bound by itself', () => {
    const deliveries = ['a', 'b'].map((id) => delivery({ id, type: 'wide' }));
    expect(splitByRows(() => catalogue, deliveries, 10)).to.deep.equal(deliveries.map((each) => [each]));
  });
});
