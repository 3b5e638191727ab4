import { hash } from 'node:crypto';
import { expect } from 'chai';
import { viewsOf } from '#infra/warehouse/bigquery/migrate.ts';
import { usageViews } from '#infra/warehouse/bigquery/views/usage.ts';
import { VIEWS_VERSION } from '#infra/warehouse/bigquery/views/view.ts';
import { WarehouseLimitExceeded } from '#infra/warehouse/errors.ts';

const PLACE = { projectId: 'project', dataset: 'dataset' };
const METERS = [
  { namespace: 'default', label: 'calls@1', aggregation: 'count' },
  { namespace: 'default', label: 'tokens@1', aggregation: 'sum', value: `usage.it's` },
];

/** The views of each version as a hash of their text: a new text is a new version, and goes below the others. */
const VERSIONS: Readonly<Record<number, string>> = {
  1: 'a13c5d3249a23cfd0c5919e163e587d5a1f55497cd334fa658dec2721b5c16ba',
};

describe('the definitions of the views', () => {
  it('have a new version with every change of what they show', () => {
    const text = viewsOf({ ...PLACE, meters: METERS })
      .map(({ name, sql }) => `${name}\n${sql}`)
      .join('\n');
    expect(hash('sha256', text, 'hex')).to.equal(VERSIONS[VIEWS_VERSION]);
    expect(VIEWS_VERSION).to.equal(Math.max(...Object.keys(VERSIONS).map(Number)));
  });

  it('do not depend on the order of the meters', () => {
    expect(usageViews(PLACE, METERS)).to.deep.equal(usageViews(PLACE, METERS.toReversed()));
  });

  it('are refused of more meters than a view of BigQuery can hold', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({
      namespace: 'default',
      label: `meter-${index}@1`,
      aggregation: 'sum',
      value: `value-${index}`,
    }));
    expect(() => usageViews(PLACE, many)).to.throw(WarehouseLimitExceeded);
  });
});
