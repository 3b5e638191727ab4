import { expect } from 'chai';
import { compileCatalogue } from '#domain/metering/catalogue.ts';
import { meterVersion } from './sample-events.ts';

describe('a catalogue at a version', () => {
  const meters = [
    meterVersion({}, { key: 'a', generation: 1, since: 1, until: 5 }),
    meterVersion({}, { key: 'a', generation: 2, since: 3 }),
    meterVersion({ eventType: 'other' }, { key: 'b', since: 4 }),
  ];
  const inForce = (version: number): string[] =>
    [...compileCatalogue('default', version, meters).byType.values()].flat().map(({ label }) => label);

  for (const [version, labels] of [
    [0, []],
    [1, ['a@1']],
    [2, ['a@1']],
    [3, ['a@1', 'a@2']],
    [4, ['a@1', 'a@2', 'b@1']],
    [5, ['a@2', 'b@1']],
    [99, ['a@2', 'b@1']],
  ] as const) {
    it(`${version} has ${labels.join(', ') || 'nothing'}: from \`since\` on and before \`until\``, () => {
      expect(inForce(version)).to.deep.equal(labels);
    });
  }

  it('has the meters of each event type together', () => {
    const { byType, namespace, version } = compileCatalogue('sandbox', 4, meters);
    expect([namespace, version]).to.deep.equal(['sandbox', 4]);
    expect([...byType.keys()]).to.deep.equal(['llm.request', 'other']);
    expect(byType.get('llm.request')).to.have.lengthOf(2);
  });

  it('compiles the dimensions in the order of their names', () => {
    const meter = meterVersion({ dimensions: { region: 'where.region', model: 'm', Zone: 'z' } });
    const [compiled] = compileCatalogue('default', 1, [meter]).byType.get('llm.request')!;
    expect(compiled!.dimensions.map(({ text }) => text)).to.deep.equal(['z', 'm', 'where.region']);
  });

  it('stops the work when a saved filter does not compile any more, since it would silently stop counting', () => {
    expect(() => compileCatalogue('default', 1, [meterVersion({ filter: 'nonsense' })])).to.throw(
      /a saved filter does not compile/,
    );
  });
});
