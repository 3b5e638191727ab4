import { expect } from 'chai';
import { readOptions } from '#pipelines/demo/options.ts';

const parse = (line: string) => readOptions(line.split(' ').filter((part) => part !== ''));

describe('the options of the demo', () => {
  it('run it on our own stores unless they name others, and an engine on those that many processes can share', () => {
    const placeOf = (line: string): readonly (string | undefined)[] => [
      parse(line).backend,
      parse(line).runner,
    ];
    expect(placeOf('')).to.deep.equal(['embedded', undefined]);
    expect(placeOf('--backend gcp')).to.deep.equal(['gcp', undefined]);
    expect(placeOf('--runner flink')).to.deep.equal(['gcp', 'flink']);
    expect(placeOf('--runner prism --backend gcp')).to.deep.equal(['gcp', 'prism']);
  });

  it('give each place a directory of its own', () => {
    const places = ['', '--backend gcp', '--runner flink', '--runner prism'];
    expect(new Set(places.map((line) => parse(line).directory)).size).to.equal(places.length);
  });

  it('are refused where they name what there is not, or do not go together', () => {
    for (const line of [
      '--runner spark',
      '--runner flink --backend embedded',
      '--backend aws',
      '--seed x',
      '--no-such',
    ])
      expect(() => parse(line), line).to.throw(Error);
  });
});
