import { expect } from 'chai';
import fc from 'fast-check';
import { differences, formatChecksums, parseChecksums } from '#infra/engines/flink/jar-checksums.ts';

const sum = fc.stringMatching(/^[0-9a-f]{64}$/);
const jar = fc.stringMatching(/^[a-z][a-z0-9._+-]{0,20}\.jar$/);
const checksums = fc.uniqueArray(fc.tuple(jar, sum), { selector: ([name]) => name });

describe('checksums of jars', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(checksums, (entries) => {
        const expected = new Map(entries);
        expect(parseChecksums(formatChecksums(expected))).to.deep.equal(expected);
      }),
    );
  });

  it('of the same files do not differ, and every change of one is told', () => {
    fc.assert(
      fc.property(checksums, sum, (entries, other) => {
        const expected = new Map(entries);
        expect(differences(expected, new Map(entries))).to.deep.equal([]);
        for (const [name, before] of entries) {
          expect(
            differences(expected, new Map([...entries].filter(([each]) => each !== name))),
          ).to.deep.equal([`${name} is missing`]);
          if (before !== other)
            expect(differences(expected, new Map([...entries, [name, other]]))).to.deep.equal([
              `${name} has other bytes`,
            ]);
        }
      }),
    );
  });

  it('that are none, or name a path, or two for one jar, are refused', () => {
    const good = 'a'.repeat(64);
    for (const text of ['a.jar', `${good}  ../a.jar`, `${good}  a.jar\n${good}  a.jar`, `${good}  a.txt`])
      expect(() => parseChecksums(text), text).to.throw('checksum');
  });
});
