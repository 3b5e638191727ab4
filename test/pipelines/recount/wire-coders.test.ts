import { expect } from 'chai';
import fc from 'fast-check';
import { fromWire, toWire } from '#pipelines/beam/wire-coder.ts';
import type { Recounted } from '#pipelines/recount/recounted.ts';
import {
  hourCellCoder,
  packedValueCoder,
  recountedCoder,
  recountedHourCoder,
  recountedValueCoder,
} from '#pipelines/recount/wire-coders.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const hash = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((each) => String.fromCharCode(...each));
/** Any 16-bit units, also halves of pairs. */
const text = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
const whole = fc.maxSafeInteger();
const count = fc.maxSafeNat();

const cell = fc.record({ totals: bytes, minutes: bytes, fingerprint: hash, dirty: fc.boolean() });
const series = { by: fc.constantFrom('stream', 'backfill'), subject: text, group: text };
const hour = fc.record({
  ...{ kind: fc.constant('hour'), ...series },
  ...{ view: fc.nat(9), hour: whole, cell },
});
const value = fc.record({
  ...{ kind: fc.constant('value'), ...series },
  ...{ day: whole, valueHash: hash, minutes: bytes },
});
const unmeasured = fc.record({ kind: fc.constant('unmeasured'), subject: text, time: whole });
const control = fc.record({
  ...{ pieces: count, names: hash, total: hash, groups: hash },
  ...{ references: count, unmeasured: count },
});
const subject = fc.record(
  { kind: fc.constant('subject'), day: whole, subject: text, stored: bytes, control },
  { requiredKeys: ['kind', 'day', 'subject'] },
);

describe('the coders of the recount', () => {
  it('bring back every element of the graph as it was', () => {
    fc.assert(
      fc.property(fc.oneof(hour, value, unmeasured, subject), (drawn) => {
        const element = drawn as Recounted;
        expect(fromWire(recountedCoder, toWire(recountedCoder, element))).to.deep.equal(element);
        if (element.kind === 'hour') {
          expect(fromWire(recountedHourCoder, toWire(recountedHourCoder, element))).to.deep.equal(element);
          expect(fromWire(hourCellCoder, toWire(hourCellCoder, element.cell))).to.deep.equal(element.cell);
        }
        if (element.kind !== 'value') return;
        const packed = { packed: element.minutes };
        expect(fromWire(recountedValueCoder, toWire(recountedValueCoder, element))).to.deep.equal(element);
        expect(fromWire(packedValueCoder, toWire(packedValueCoder, packed))).to.deep.equal(packed);
      }),
    );
  });

  it('refuse what is cut off, and what is none of their elements', () => {
    const element: Recounted = { kind: 'unmeasured', subject: 'acme', time: 1 };
    const whole = toWire(recountedCoder, element);
    expect(() => fromWire(recountedCoder, whole.subarray(0, -1))).to.throw(RangeError);
    expect(() => fromWire(recountedCoder, Buffer.concat([whole, whole]))).to.throw(RangeError);
    expect(() => fromWire(recountedCoder, Buffer.from([9, 0]))).to.throw(RangeError, 'of no kind');
  });
});
