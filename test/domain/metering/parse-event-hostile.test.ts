import { expect } from 'chai';
import fc from 'fast-check';
import { DEAD_LETTER_REASONS } from '#domain/metering/dead-letter.ts';
import { MESSAGE_BYTES_MAX } from '#domain/limits.ts';
import { parse, structured, utf8 } from './sample-events.ts';

/** Whatever comes, it is an event or a refusal of the closed list, and never an exception. */
function expectJudged(data: string | Uint8Array, attributes: Record<string, string> = {}): void {
  const { event, refusal } = parse(data, attributes);
  if (refusal) expect(DEAD_LETTER_REASONS).to.include(refusal.reason);
  else expect(JSON.parse(event.data)).to.not.equal(undefined);
}

describe('parsing an event', () => {
  it('never throws on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectJudged(bytes)),
      { numRuns: 3_000 },
    );
  });

  it('never throws on an event with some bytes changed', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
    const original = utf8(
      structured({ data: String.raw`{"a":[1.5e3,"\u00e9\ud83d\ude00é",{"b":null}],"c":true}`, ext: '"x"' }),
    );
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = original.slice();
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        expectJudged(bytes);
      }),
      { numRuns: 4_000 },
    );
  });

  it('never throws on random attributes in binary mode', () => {
    const unit = fc
      .nat({ max: 0xffff })
      .map((code) => String.fromCharCode(code < 0xff00 ? code % 0x100 : (code % 0x800) + 0xd800));
    const text = fc.string({ unit, maxLength: 8 });
    const key = fc.oneof(
      text,
      fc.constantFrom('ce-id', 'CE-ID', 'ce-', 'ce-time', 'ce-__proto__', 'content-type', 'ce-data_base64'),
    );
    fc.assert(
      fc.property(fc.dictionary(key, text), text, (attributes, body) =>
        expectJudged(body, { 'ce-specversion': '1.0', ...attributes }),
      ),
      { numRuns: 1_000 },
    );
  });
});

/** Fills a message up to 1 MiB. */
const filled = (before: string, unit: string, after: string): string =>
  before + unit.repeat(Math.floor((MESSAGE_BYTES_MAX - before.length - after.length) / unit.length)) + after;
const inData = (before: string, unit: string, after: string): string => {
  const [head = '', tail = ''] = structured({ data: '@' }).split('@');
  return filled(head + before, unit, after + tail);
};
const keysDown = (): string => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `"${(999_999 - i).toString(36)}":0`);
  return structured({ data: `{${keys.join(',')}}` });
};
const keysDownWithoutData = (): string => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `"x${(999_999 - i).toString(36)}":0`);
  return `{${keys.join(',')},${structured().slice(1)}`;
};

/**
 * A step that takes quadratic time takes 10^11 steps on these and more, that is minutes to hours: that the tests end is what they prove.
 */
describe('a message of 1 MiB is parsed in linear time when it is', () => {
  for (const [what, text, reason] of [
    ['brackets, unclosed', filled('', '[', ''), 'malformed_json'],
    ['brackets in data, closed', structured({ data: '['.repeat(500_000) + ']'.repeat(500_000) }), 'too_deep'],
    ['objects in data, unclosed', inData('', '{"a":', ''), 'malformed_json'],
    ['many containers too deep', inData(`${'['.repeat(8)}1`, ',[]', ']'.repeat(8)), 'too_deep'],
    ['backslashes', inData('"', '\\\\', '"'), 'too_large'],
    ['backslashes without a closing quote', inData('"', '\\', ''), 'malformed_json'],
    ['escaped quotes', inData('"', '\\"', '"'), 'too_large'],
    ['many strings after one escape', inData('["\\n"', ',"a"', ']'), 'too_large'],
    ['many escaped strings', inData('["\\n"', ',"\\n"', ']'), 'too_large'],
    ['many strings and an escape at the end', inData('["é"', ',"a"', ',"\\n"]'), 'too_large'],
    ['escaped surrogates', inData('"', '\\ud83d\\ude00', '"'), 'too_large'],
    ['digits', inData('', '7', ''), 'value_out_of_range'],
    ['zeros between two digits', inData('1', '0', '1'), 'value_out_of_range'],
    ['decimals of zeros before a digit', inData('0.', '0', '1'), 'value_out_of_range'],
    ['zeros in an exponent', inData('1e', '0', '1'), undefined],
    ['an exponent of nines', inData('1e', '9', ''), 'value_out_of_range'],
    ['300,000 numbers', inData('[1', ',1.50', ']'), 'too_large'],
    ['duplicate keys', inData('{"a":0', ',"":0', '}'), undefined],
    ['duplicate keys in turn', inData('{"a":0', ',"b":0,"a":0', '}'), undefined],
    ['duplicate attributes', filled('{"id":0', ',"x":0', `,${structured().slice(1)}`), undefined],
    ['100,000 keys in falling order', keysDown(), 'too_large'],
    ['100,000 attributes in falling order', keysDownWithoutData(), undefined],
    ['white space', filled('{', ' ', structured().slice(1)), undefined],
    [
      'a long time',
      filled('{"time":"2026-03-01T11:59:00.', '1', `Z",${structured({ time: undefined }).slice(1)}`),
      'too_large',
    ],
    [
      'a long content type',
      structured({ datacontenttype: `"application/${'a+'.repeat(400_000)}"` }),
      'attribute_invalid',
    ],
    [
      'a long content type with spaces',
      structured({ datacontenttype: `"application/json${' '.repeat(900_000)}x"` }),
      'attribute_invalid',
    ],
  ] as const) {
    it(what, () => {
      expect(text.length).to.be.at.most(MESSAGE_BYTES_MAX);
      expect(parse(text).refusal?.reason).to.equal(reason);
    });
  }
});
