import { expect } from 'chai';
import { groupByIdentity, layOut, type Copy } from '#domain/metering/batch.ts';
import { classify, type Outcome, type StoredEvent } from '#domain/metering/classify.ts';
import { copyOf } from './random-copies.ts';
import { eventWith, NOON } from './sample-events.ts';

/** Copies of one event; `said` is its digest, `a` to `z`. */
const copy = (said: string, messageId: string): Copy => {
  const base = copyOf(eventWith('{"value":1}'));
  return { ...base, event: { ...base.event, digest: said.repeat(16) }, messageId };
};
const stored = (digest: string | null, state: StoredEvent['state']): StoredEvent => ({
  digest: digest === null ? null : digest.repeat(16),
  state,
  time: NOON,
  catalogueVersion: 1,
  committedAt: NOON,
});

/** What is stored; what comes, in its order; what becomes of each. */
const TABLE: readonly (readonly [
  what: string,
  row: StoredEvent | undefined,
  said: string,
  outcomes: readonly Outcome[],
])[] = [
  ['a new event', undefined, 'a', ['accepted']],
  ['a new event and its duplicate', undefined, 'aa', ['accepted', 'duplicate']],
  ['a new event and a conflict', undefined, 'ab', ['accepted', 'conflict']],
  [
    'copies that agree and disagree',
    undefined,
    'abacb',
    ['accepted', 'conflict', 'duplicate', 'conflict', 'conflict'],
  ],
  ['a copy of a stored event', stored('a', 'live'), 'a', ['duplicate']],
  ['a conflict with a stored event', stored('a', 'live'), 'b', ['conflict']],
  [
    'copies of a stored event, a conflict first',
    stored('a', 'live'),
    'bab',
    ['conflict', 'duplicate', 'conflict'],
  ],
  ['a copy of a void event', stored('a', 'void'), 'a', ['duplicate']],
  ['a conflict with a void event', stored('a', 'void'), 'b', ['conflict']],
  ['the first copy after its void', stored(null, 'void'), 'a', ['void']],
  ['copies after their void', stored(null, 'void'), 'aab', ['void', 'duplicate', 'conflict']],
];

describe('what becomes of', () => {
  for (const [what, row, said, outcomes] of TABLE) {
    it(`${what}: ${outcomes.join(', ')}`, () => {
      const batch = layOut(groupByIdentity([...said].map((digest, i) => copy(digest, String(i)))));
      const classified = classify(batch, [row]);
      expect(classified.map(({ outcome }) => outcome)).to.deep.equal(outcomes);
      expect(classified.map(({ copy: of }) => of.event.digest[0]).join('')).to.equal(said);
      // What this batch stores has no row yet; all else goes with the row that was there.
      for (const { stored: found } of classified) expect(found).to.equal(row);
    });
  }

  it('several events: each by its own row', () => {
    const other = copyOf(eventWith('{"value":1}', { id: '"e-2"' }));
    const batch = layOut(groupByIdentity([copy('a', '1'), other, copy('b', '2')]));
    const outcomes = classify(batch, [stored('b', 'live'), undefined]).map(({ outcome }) => outcome);
    expect(outcomes).to.deep.equal(['conflict', 'duplicate', 'accepted']);
  });
});
