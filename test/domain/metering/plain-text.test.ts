import { expect } from 'chai';
import fc from 'fast-check';
import { isPlainText, PLAIN_TEXT } from '#domain/metering/plain-text.ts';

const LONGEST = 24;

/** Places in memory that are not a multiple of a word, too. */
const bytesAnywhere = (values: readonly number[], offset: number): Uint8Array => {
  const memory = new Uint8Array(offset + values.length + 1).fill(0);
  memory.set(values, offset);
  return memory.subarray(offset, offset + values.length);
};

const isPlainAsText = (bytes: Uint8Array): boolean =>
  PLAIN_TEXT.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));

describe('whether bytes are plain text', () => {
  it('is told of each byte at each place as of the text', () => {
    for (let byte = 0; byte < 256; byte++)
      for (let place = 0; place < LONGEST; place++) {
        const values = Array.from({ length: LONGEST }, (_, at) => (at === place ? byte : 65 + at));
        const bytes = bytesAnywhere(values, place % 5);
        expect(isPlainText(bytes), `${byte} at ${place}`).to.equal(isPlainAsText(bytes));
      }
  });

  it('is told of any bytes anywhere in memory as of the text', () => {
    const mostlyPlain = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
      fc.integer({ min: 0, max: 0xff }),
    );
    fc.assert(
      fc.property(fc.array(mostlyPlain, { maxLength: LONGEST }), fc.nat(7), (values, offset) => {
        const bytes = bytesAnywhere(values, offset);
        expect(isPlainText(bytes)).to.equal(isPlainAsText(bytes));
      }),
      { numRuns: 2_000 },
    );
  });
});
