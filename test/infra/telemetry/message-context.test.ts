import { expect } from 'chai';
import fc from 'fast-check';
import { linksOf, LINKS_MAX, parseTraceparent, traceAttributes } from '#infra/telemetry/message-context.ts';
import { tracingHasStarted, tracingHasStopped } from '#infra/telemetry/spans.ts';
import type { Message } from '#infra/topic/topic.ts';

const message = (traceparent?: string): Message => ({
  id: 'm',
  ackId: 'a',
  attempt: 1,
  data: new Uint8Array(),
  publishTime: 0,
  attributes: traceparent === undefined ? {} : { traceparent },
});
const hex = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''))
    .filter((text) => /[1-9a-f]/.test(text));

describe('what links a commit to its publishers', () => {
  beforeEach(tracingHasStarted);
  afterEach(tracingHasStopped);

  it('is read as W3C writes it', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
        const context = parseTraceparent(`00-${traceId}-${spanId}-${sampled ? '01' : '00'}`);
        expect(context).to.deep.equal({ traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true });
      }),
    );
  });

  it('is nothing where a publisher wrote anything else, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(linksOf([message(text)])).to.deep.equal([]);
      }),
    );
    const zeros = `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`;
    expect(linksOf([message(zeros), message()])).to.deep.equal([]);
  });

  it('is each sampled publisher once, and a bounded number of them', () => {
    const traceparent = (index: number, flags = '01'): string =>
      `00-${(index + 1).toString(16).padStart(32, '0')}-${'1'.repeat(16)}-${flags}`;
    const twice = [traceparent(0), traceparent(0), traceparent(1, '00'), traceparent(2)].map(message);
    expect(linksOf(twice).map(({ context }) => Number(`0x${context.traceId}`))).to.deep.equal([1, 3]);
    const many = Array.from({ length: 5_000 }, (_, index) => message(traceparent(index)));
    expect(linksOf(many)).to.have.length(LINKS_MAX);
  });

  it('is not looked for, and not sent, where no traces are taken', () => {
    tracingHasStopped();
    expect(linksOf([message(`00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`)])).to.deep.equal([]);
    expect(traceAttributes()).to.deep.equal({});
  });
});
