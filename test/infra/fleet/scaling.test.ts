import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_SCALING, wantedWorkers, type Scaling } from '#infra/fleet/scaling.ts';

const SECOND = 1_000_000;
const NOW = 1_000_000 * SECOND;
const calm: Scaling = { workers: 4, tooManySince: undefined };
const signal = (backlogMessages: number, oldestAgeSeconds = 0, at = NOW) => ({
  at,
  backlogMessages,
  oldestAgeSeconds,
  workers: 4,
});
const { shrinkAfterSeconds, workersMax } = DEFAULT_SCALING;
/** What one worker works off in the time in which a backlog is to be gone. */
const SHARE = DEFAULT_SCALING.messagesPerWorkerSecond * DEFAULT_SCALING.drainSeconds;

describe('the number of workers that there should be', () => {
  it('grows at once with the backlog, up to the most', () => {
    expect(wantedWorkers(signal(7.5 * SHARE), calm, DEFAULT_SCALING).workers).to.equal(8);
    expect(wantedWorkers(signal(1e12), calm, DEFAULT_SCALING).workers).to.equal(workersMax);
  });

  it('grows when messages wait too long although they are few', () => {
    const more = wantedWorkers(signal(10, 61), calm, DEFAULT_SCALING);
    expect(more.workers).to.equal(6);
    expect(wantedWorkers(signal(10, 75), more, DEFAULT_SCALING).workers, 'those have not come yet').to.equal(
      6,
    );
  });

  it('shrinks only after it was too large without a break, and then by half at most', () => {
    const first = wantedWorkers(signal(10), calm, DEFAULT_SCALING);
    expect(first).to.deep.equal({ workers: 4, tooManySince: NOW });
    const later = NOW + shrinkAfterSeconds * SECOND;
    expect(wantedWorkers(signal(10, 0, later - 1), first, DEFAULT_SCALING).workers).to.equal(4);
    expect(wantedWorkers(signal(10, 0, later), first, DEFAULT_SCALING).workers).to.equal(2);
    const interrupted = wantedWorkers(signal(3.5 * SHARE, 0, later - 1), first, DEFAULT_SCALING);
    expect(interrupted).to.deep.equal(calm);
  });

  it('does not swing: what it shrinks to is not too small for the same backlog', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 0, max: 64 * SHARE }),
        (workers, backlog) => {
          const last = { workers, tooManySince: NOW - shrinkAfterSeconds * SECOND };
          const next = wantedWorkers(signal(backlog), last, DEFAULT_SCALING);
          expect(wantedWorkers(signal(backlog), next, DEFAULT_SCALING).workers).to.equal(next.workers);
        },
      ),
    );
  });

  it('stays within its bounds, whatever it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), fc.nat(), fc.nat(), (workers, backlog, age) => {
        const next = wantedWorkers(
          signal(backlog, age),
          { workers, tooManySince: undefined },
          DEFAULT_SCALING,
        );
        expect(next.workers).to.be.within(DEFAULT_SCALING.workersMin, workersMax);
      }),
    );
  });
});
