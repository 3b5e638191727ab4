import { expect } from 'chai';
import fc from 'fast-check';
import { mergeRows } from '#infra/database/spanner/merge-rows.ts';

interface Numbered {
  readonly at: number;
}

/** Says how many of its rows were taken, and whether it was ended. */
function streamOf(rows: readonly Numbered[]) {
  const state = { taken: 0, ended: false };
  async function* stream() {
    try {
      for (const row of rows) {
        state.taken++;
        yield { ...row };
      }
    } finally {
      state.ended = true;
    }
  }
  return { state, stream: stream() };
}

const sorted = (rows: readonly Numbered[], reverse: boolean) =>
  rows.toSorted((a, b) => (reverse ? b.at - a.at : a.at - b.at));

describe('streams that are merged', () => {
  it('are one stream in their order, cut at its limit', async () => {
    const rows = fc.array(fc.record({ at: fc.nat(50) }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(rows, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        fc.option(fc.nat(20), { nil: undefined }),
        async (all, reverse, limit) => {
          const streams = all.map((some) => streamOf(sorted(some, reverse)).stream);
          const merged = await Array.fromAsync(mergeRows(streams, { order: ['at'], reverse, limit }));
          expect(merged).to.deep.equal(sorted(all.flat(), reverse).slice(0, limit));
        },
      ),
    );
  });

  it('are all ended when their reader leaves, having given a row each and what was asked for', async () => {
    const streams = [1, 2, 3].map((first) =>
      streamOf([{ at: first }, { at: first + 10 }, { at: first + 20 }]),
    );
    const merged = mergeRows(
      streams.map(({ stream }) => stream),
      { order: ['at'], reverse: false, limit: undefined },
    );
    for await (const row of merged) if (row['at'] === 2) break;
    expect(streams.map(({ state }) => state.ended)).to.deep.equal([true, true, true]);
    expect(streams.map(({ state }) => state.taken)).to.deep.equal([2, 1, 1]);
  });

  it('are all ended when one of them fails, and the failure is passed on', async () => {
    const good = streamOf([{ at: 1 }, { at: 3 }]);
    async function* failing() {
      yield { at: 2 };
      throw new Error('broken');
    }
    const merged = mergeRows([good.stream, failing()], { order: ['at'], reverse: false, limit: undefined });
    const failure = await Array.fromAsync(merged).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'broken');
    expect(good.state.ended).to.equal(true);
  });
});
