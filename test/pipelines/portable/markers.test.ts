import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_MILLI, MICROS_PER_SECOND } from '#domain/instant.ts';
import {
  ESTIMATE_MS,
  heldBackUntil,
  markersSilentMs,
  recordableThrough,
  slotEndOf,
  SLOT_MS,
  slotsOf,
} from '#pipelines/portable/markers.ts';

const NOW_MS = 1_800_000_000_000;
const instant = fc.integer({ min: 0, max: 2 * NOW_MS * MICROS_PER_MILLI });
const slotEnd = fc.integer({ min: 1, max: (2 * NOW_MS) / SLOT_MS }).map((slot) => slot * SLOT_MS);

describe('the markers of what is committed', () => {
  it('are of slots that follow each other without a gap, each without its end', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 * NOW_MS }), (publishMs) => {
        const end = slotEndOf(publishMs);
        expect(end % SLOT_MS).to.equal(0);
        expect(publishMs).to.be.within(end - SLOT_MS, end - 1);
      }),
    );
  });

  it('are one for each slot that a commit has touched, in the time of its earliest message and never after it', () => {
    fc.assert(
      fc.property(fc.array(instant, { maxLength: 50 }), (publishTimes) => {
        const slots = slotsOf(publishTimes);
        for (const publishTime of publishTimes) {
          const publishMs = Math.floor(publishTime / MICROS_PER_MILLI);
          expect(slots.get(slotEndOf(publishMs))).to.be.at.most(publishMs);
        }
        for (const [end, earliest] of slots) {
          expect(slotEndOf(earliest)).to.equal(end);
          expect(publishTimes.map((at) => Math.floor(at / MICROS_PER_MILLI))).to.include(earliest);
        }
      }),
    );
  });

  it('record nothing after a begin until the acknowledgement deadline and a minute of the estimate have passed', () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: 10, max: 600 }), fc.nat(), (at, deadline, afterMicros) => {
        const heldBack = heldBackUntil(at, deadline);
        expect(heldBack - at).to.be.above(deadline * MICROS_PER_SECOND + ESTIMATE_MS * MICROS_PER_MILLI);
        const now = at + (afterMicros % (heldBack - at));
        expect(recordableThrough([SLOT_MS], { now, heldBack })).to.equal(undefined);
      }),
    );
  });

  it('record the end of the furthest slot that was passed, of those that the estimate can have passed by now', () => {
    fc.assert(
      fc.property(fc.array(slotEnd), instant, (ends, now) => {
        const latest = now - ESTIMATE_MS * MICROS_PER_MILLI;
        const passed = ends.map((end) => end * MICROS_PER_MILLI).filter((at) => at <= latest);
        const through = recordableThrough(ends, { now, heldBack: 0 });
        expect(through).to.equal(passed.length === 0 ? undefined : Math.max(...passed));
      }),
    );
  });

  it('take no slot for read that closes because its source has ended', () => {
    const now = NOW_MS * MICROS_PER_MILLI;
    expect(recordableThrough([slotEndOf(NOW_MS - SLOT_MS)], { now, heldBack: 0 })).to.equal(undefined);
    expect(recordableThrough([NOW_MS - ESTIMATE_MS], { now, heldBack: now })).to.be.a('number');
  });

  it('leave a supervisor in peace for as long as nothing can be recorded', () => {
    const heldBackMs = heldBackUntil(0, 10) / MICROS_PER_MILLI;
    expect(markersSilentMs(10)).to.be.above(heldBackMs + ESTIMATE_MS);
  });
});
