import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_SECOND } from '#domain/instant.ts';
import { createTokenBuckets } from '#infra/access/token-buckets.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

const NOW = SIMULATION_START;
const limits = { eventsPerSecond: 100, bytesPerSecond: 10_000, burstSeconds: 2 };

describe('token buckets', () => {
  it('let a burst through, then say how many seconds to wait, and keep the keys apart', () => {
    const buckets = createTokenBuckets(limits);
    expect(buckets.take('a', { events: 200, bytes: 0 }, NOW)).to.equal(0);
    expect(buckets.take('a', { events: 150, bytes: 0 }, NOW)).to.equal(2);
    expect(buckets.take('a', { events: 1, bytes: 0 }, NOW)).to.equal(1);
    expect(buckets.take('b', { events: 200, bytes: 0 }, NOW)).to.equal(0);
    expect(buckets.take('a', { events: 150, bytes: 0 }, NOW + 1.5 * MICROS_PER_SECOND)).to.equal(0);
  });

  it('hold bytes and events to their own limits', () => {
    const buckets = createTokenBuckets(limits);
    expect(buckets.take('a', { events: 1, bytes: 20_000 }, NOW)).to.equal(0);
    expect(buckets.take('a', { events: 1, bytes: 5_000 }, NOW)).to.equal(1);
    expect(buckets.take('a', { events: 1, bytes: 0 }, NOW)).to.equal(0);
  });

  it('let a request through that is larger than a whole bucket, which then owes the rest', () => {
    const buckets = createTokenBuckets(limits);
    expect(buckets.take('a', { events: 1_000, bytes: 0 }, NOW)).to.equal(0);
    expect(buckets.take('a', { events: 1, bytes: 0 }, NOW + 7 * MICROS_PER_SECOND)).to.equal(2);
    expect(buckets.take('a', { events: 1, bytes: 0 }, NOW + 9 * MICROS_PER_SECOND)).to.equal(0);
  });

  it('take what they refused once the time they named is over, and let no more through than rate and burst', () => {
    const costs = fc.array(fc.record({ events: fc.nat(400), pauseMicros: fc.nat(3_000_000) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(costs, (requests) => {
        const buckets = createTokenBuckets(limits);
        let now = NOW;
        let taken = 0;
        let largest = 0;
        for (const { events, pauseMicros } of requests) {
          now += pauseMicros;
          const wait = buckets.take('a', { events, bytes: 0 }, now);
          if (wait > 0) {
            now += wait * MICROS_PER_SECOND;
            expect(buckets.take('a', { events, bytes: 0 }, now)).to.equal(0);
          }
          taken += events;
          largest = Math.max(largest, events);
          const allowed = 200 + (100 * (now - NOW)) / MICROS_PER_SECOND + largest;
          expect(taken).to.be.at.most(allowed);
        }
      }),
    );
  });

  it('forget the keys used longest ago rather than grow for ever', () => {
    const buckets = createTokenBuckets(limits);
    buckets.take('first', { events: 200, bytes: 0 }, NOW);
    for (let key = 0; key < 10_000; key++) buckets.take(`k-${key}`, { events: 200, bytes: 0 }, NOW);
    expect(buckets.take('first', { events: 200, bytes: 0 }, NOW)).to.equal(0);
  });
});
