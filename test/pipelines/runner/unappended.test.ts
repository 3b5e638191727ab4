import { expect } from 'chai';
import {
  createUnappended,
  UNAPPENDED_MESSAGES_MAX,
  UNAPPENDED_MICROS_MAX,
} from '#pipelines/runner/unappended.ts';

const NOW = 1_767_225_600_000_000;

describe('messages that are committed and not appended', () => {
  it('hold nothing back while there are none, however late it is', () => {
    expect(createUnappended().isBeyondBound(NOW)).to.equal(false);
  });

  it('hold pulling back once the first has waited ten minutes, whatever came after it', () => {
    const unappended = createUnappended();
    unappended.add(['a'], NOW);
    unappended.add(['b'], NOW + UNAPPENDED_MICROS_MAX - 1);
    expect(unappended.isBeyondBound(NOW + UNAPPENDED_MICROS_MAX - 1)).to.equal(false);
    expect(unappended.isBeyondBound(NOW + UNAPPENDED_MICROS_MAX)).to.equal(true);
  });

  it('hold pulling back at once when they are a million', () => {
    const unappended = createUnappended();
    const many = Array.from({ length: UNAPPENDED_MESSAGES_MAX }, () => 'a');
    unappended.add(many.slice(1), NOW);
    expect(unappended.isBeyondBound(NOW)).to.equal(false);
    unappended.add(['b'], NOW);
    expect(unappended.isBeyondBound(NOW)).to.equal(true);
  });

  it('are forgotten when the warehouse takes rows again, and the wait begins anew', () => {
    const unappended = createUnappended();
    unappended.add(['a', 'b'], NOW);
    expect(unappended.clear()).to.deep.equal(['a', 'b']);
    expect(unappended.clear()).to.deep.equal([]);
    unappended.add(['c'], NOW + 2 * UNAPPENDED_MICROS_MAX);
    expect(unappended.isBeyondBound(NOW + 2 * UNAPPENDED_MICROS_MAX)).to.equal(false);
  });
});
