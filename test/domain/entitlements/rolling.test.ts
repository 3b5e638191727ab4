import { expect } from 'chai';
import fc from 'fast-check';
import {
  changeRolling,
  emptyRolling,
  firstStepAt,
  floorAt,
  leavesAt,
  packRolling,
  rollingWindow,
  stepOf,
  stepStart,
  unpackRolling,
  usedInWindow,
  type RollingUsage,
} from '#domain/entitlements/rolling.ts';
import { MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { fromDecimalString } from '#domain/metering/quantity.ts';

const NOW = 1_767_225_600_000_000;
const windows = fc.integer({ min: 1, max: 7 * 24 * 60 }).map(rollingWindow);
const times = fc.integer({ min: NOW - 8 * MICROS_PER_DAY, max: NOW + 5 * MICROS_PER_MINUTE });
const quantities = fc
  .constantFrom('0', '1', '-2', '0.5', '12345678901234567890.000000000000000001')
  .map(fromDecimalString);
const changes = fc.array(
  fc.record({ at: times, quantity: quantities, generation: fc.integer({ min: 1, max: 3 }) }),
);

const toText = ({ floor, generations }: RollingUsage) => ({
  floor,
  generations: [...generations]
    .filter(([, steps]) => steps.size > 0)
    .map(([generation, steps]) => [generation, [...steps].sort(([a], [b]) => a - b)])
    .sort(),
});

describe('rolling windows', () => {
  it('go in steps of a 300th, of a minute at least', () => {
    expect(rollingWindow(1).stepMinutes).to.equal(1);
    expect(rollingWindow(300).stepMinutes).to.equal(1);
    expect(rollingWindow(301).stepMinutes).to.equal(2);
    expect(rollingWindow(7 * 24 * 60).stepMinutes).to.equal(34);
  });

  it('count all of the window and at most a step before it', () => {
    fc.assert(
      fc.property(windows, times, (window, now) => {
        const begins = now - window.minutes * MICROS_PER_MINUTE;
        const counted = stepStart(window, firstStepAt(window, now));
        expect(counted).to.be.at.most(begins);
        expect(begins - counted).to.be.lessThan((window.stepMinutes + 1) * MICROS_PER_MINUTE);
      }),
    );
  });

  it('let a step go at the moment that is said, and not before', () => {
    fc.assert(
      fc.property(windows, times, (window, at) => {
        const step = stepOf(window, at);
        const leaves = leavesAt(window, step);
        expect(firstStepAt(window, leaves)).to.be.greaterThan(step);
        expect(firstStepAt(window, leaves - 1)).to.be.at.most(step);
      }),
    );
  });

  it('are the same after packing', () => {
    fc.assert(
      fc.property(windows, changes, (window, some) => {
        const steps = some.map(({ at, ...change }) => ({ ...change, step: stepOf(window, at) }));
        const usage = changeRolling(emptyRolling(0), steps, 0);
        expect(toText(unpackRolling(packRolling(usage)))).to.deep.equal(toText(usage));
      }),
    );
  });

  it('are the same whatever order and grouping events come in, and whenever steps are let go', () => {
    fc.assert(
      fc.property(windows, changes, fc.nat(), (window, some, cut) => {
        const floor = floorAt(window, NOW);
        const steps = some.map(({ at, ...change }) => ({ ...change, step: stepOf(window, at) }));
        const at = steps.length === 0 ? 0 : cut % steps.length;
        const whole = changeRolling(emptyRolling(0), steps, floor);
        const parts = changeRolling(
          changeRolling(emptyRolling(0), steps.slice(at).reverse(), floorAt(window, NOW - MICROS_PER_HOUR)),
          steps.slice(0, at),
          floor,
        );
        expect(toText(parts)).to.deep.equal(toText(whole));
      }),
    );
  });

  it('are voided to nothing, and take nothing for what was let go', () => {
    const window = rollingWindow(300);
    const step = stepOf(window, NOW);
    const used = changeRolling(emptyRolling(step), [{ generation: 1, step, quantity: 5 }], step);
    const voided = changeRolling(
      used,
      [
        { generation: 1, step, quantity: -5 },
        { generation: 1, step: step - 1, quantity: -7 },
      ],
      step,
    );
    expect(usedInWindow(used, 1, step)).to.equal(5);
    expect(toText(voided)).to.deep.equal({ floor: step, generations: [] });
  });
});
