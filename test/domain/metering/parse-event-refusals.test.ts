import { expect } from 'chai';
import { DEAD_LETTER_REASONS, type DeadLetterReason } from '#domain/metering/dead-letter.ts';
import { DATA_BYTES_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX } from '#domain/limits.ts';
import { accepted, parse, structured, utf8, type Members } from './sample-events.ts';

const reasonOf = (data: string | Uint8Array): DeadLetterReason | undefined => parse(data).refusal?.reason;
const withBytes = (before: string, bytes: number[], after: string): Uint8Array =>
  new Uint8Array([...utf8(before), ...bytes, ...utf8(after)]);

const [BEFORE_ID = '', AFTER_ID = ''] = structured({ id: '"@"' }).split('@');

/** What arrives, and its reason; undefined where it is accepted. */
const BAD_INPUT: readonly (readonly [
  what: string,
  data: string | Uint8Array,
  reason: DeadLetterReason | undefined,
])[] = [
  ['no bytes', '', 'malformed_json'],
  ['text that is no JSON', 'hello', 'malformed_json'],
  ['a cut event', structured().slice(0, -1), 'malformed_json'],
  ['two events', structured() + structured(), 'malformed_json'],
  ['a comma after the last member', structured().replace(/\}$/, ',}'), 'malformed_json'],
  ['a member without a value', structured({ data: '' }), 'malformed_json'],
  ['a single-quoted text', structured({ data: "{'a':1}" }), 'malformed_json'],
  ['NaN', structured({ data: '{"tokens":NaN}' }), 'malformed_json'],
  ['Infinity', structured({ data: '{"tokens":-Infinity}' }), 'malformed_json'],
  ['bytes that are not UTF-8', withBytes(BEFORE_ID, [0xff], AFTER_ID), 'malformed_json'],
  ['an overlong encoding', withBytes(BEFORE_ID, [0xc0, 0x80], AFTER_ID), 'malformed_json'],
  ['an encoded surrogate', withBytes(BEFORE_ID, [0xed, 0xa0, 0x80], AFTER_ID), 'malformed_json'],
  ['a cut UTF-8 sequence', withBytes(BEFORE_ID, [0xe2, 0x82], AFTER_ID), 'malformed_json'],
  ['a byte order mark', `\ufeff${structured()}`, 'malformed_json'],
  ['UTF-16', new Uint8Array(Buffer.from(structured(), 'utf16le')), 'malformed_json'],
  ['a raw control character in a name', structured({ id: '"a\u0001"' }), 'malformed_json'],
  ['half a surrogate pair, escaped', structured({ id: String.raw`"\ud800"` }), 'malformed_json'],
  ['white space around all', ` \r\n\t${structured().replaceAll(',', ' ,\n')} `, undefined],

  ['a list of events', `[${structured()}]`, 'not_an_event'],
  ['a text', '"event"', 'not_an_event'],
  ['a number', '5', 'not_an_event'],
  ['null', 'null', 'not_an_event'],
  ['a list too deep', '['.repeat(9) + ']'.repeat(9), 'not_an_event'],
  ['a list that is no JSON', '[1,', 'malformed_json'],
  ['an object without specversion', structured({ specversion: undefined }), 'not_an_event'],
  ['an empty object', '{}', 'not_an_event'],
  ['specversion null', structured({ specversion: 'null' }), 'not_an_event'],
  ['specversion 0.3', structured({ specversion: '"0.3"' }), 'attribute_invalid'],
  ['specversion as a number', structured({ specversion: '1.0' }), 'attribute_invalid'],

  ['an exponent that explodes', structured({ data: '{"tokens":1e999999}' }), 'value_out_of_range'],
  ['a number of 65 digits', structured({ data: `{"tokens":${'9'.repeat(65)}}` }), 'value_out_of_range'],
  ['a number of 64 digits', structured({ data: `{"tokens":${'9'.repeat(64)}}` }), undefined],
  ['an exploding number where nothing counts it', structured({ extra: '1e999999' }), 'value_out_of_range'],
  [
    'an exploding number that a duplicate replaces',
    structured({ data: '{"a":1e999,"a":1}' }),
    'value_out_of_range',
  ],
  ['19 decimals', structured({ data: '{"tokens":0.1234567890123456789}' }), undefined],
  ['an integer of 20 digits', structured({ data: `{"tokens":${'9'.repeat(20)}}` }), undefined],
  ['duplicate keys', structured({ data: '{"tokens":1,"tokens":2}' }), undefined],
  ['data 8 deep', structured({ data: '['.repeat(8) + ']'.repeat(8) }), undefined],
  ['data 9 deep', structured({ data: '['.repeat(9) + ']'.repeat(9) }), 'too_deep'],
  ['objects 9 deep', structured({ data: '{"a":'.repeat(9) + '1' + '}'.repeat(9) }), 'too_deep'],
  [
    'data 9 deep in a text that is no JSON',
    `${structured({ data: '['.repeat(9) + ']'.repeat(9) })}x`,
    'malformed_json',
  ],

  ['data_base64', structured({ data: undefined, data_base64: '"AA=="' }), 'attribute_invalid'],
  ['data_base64 null', structured({ data_base64: 'null' }), undefined],
  ['data that is a text of JSON', structured({ data: '"{}"' }), undefined],
];

describe('bad input', () => {
  for (const [what, data, reason] of BAD_INPUT) {
    it(`${what}: ${reason ?? 'accepted'}`, () => expect(reasonOf(data)).to.equal(reason));
  }

  it('says in one sentence what is wrong, with a reason of the closed list', () => {
    for (const [, data] of BAD_INPUT) {
      const { refusal } = parse(data);
      if (refusal === undefined) continue;
      expect(DEAD_LETTER_REASONS).to.include(refusal.reason);
      expect(refusal.detail).to.match(/^\S.{10,}\S$/);
    }
  });

  it('leaves the bytes of its message as they were', () => {
    for (const [, data] of BAD_INPUT) {
      const bytes = typeof data === 'string' ? utf8(data) : data.slice();
      const before = bytes.slice();
      parse(bytes);
      expect(bytes).to.deep.equal(before);
    }
  });

  for (const type of [
    '"application/json"',
    '"application/json; charset=utf-8"',
    '"APPLICATION/JSON"',
    '"application/vnd.acme+json"',
    'null',
  ]) {
    it(`datacontenttype ${type}: accepted`, () =>
      expect(reasonOf(structured({ datacontenttype: type }))).to.equal(undefined));
  }
  for (const type of ['"text/plain"', '"application/xml"', '"application/jsonp"', '"text/json"', '""', '5']) {
    it(`datacontenttype ${type}: attribute_invalid`, () =>
      expect(reasonOf(structured({ datacontenttype: type }))).to.equal('attribute_invalid'));
  }
});

describe('bad input in binary mode', () => {
  const binary = (changes: Members, body = '{}'): DeadLetterReason | undefined => {
    const attributes = {
      'ce-specversion': '1.0',
      'ce-id': 'e-1',
      'ce-source': 's',
      'ce-type': 't',
      'ce-subject': 'acme',
      ...changes,
    };
    const sent = Object.entries(attributes).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return parse(body, Object.fromEntries(sent)).refusal?.reason;
  };
  for (const [what, reason, changes, body] of [
    ['nothing wrong', undefined, {}],
    ['specversion 0.3', 'attribute_invalid', { 'ce-specversion': '0.3' }],
    ['an empty specversion', 'attribute_invalid', { 'ce-specversion': '' }],
    ['a missing subject', 'attribute_missing', { 'ce-subject': undefined }],
    ['an empty subject', 'attribute_invalid', { 'ce-subject': '' }],
    ['a control character', 'attribute_invalid', { 'ce-id': 'a\u0000b' }],
    ['half a surrogate pair', 'attribute_invalid', { 'ce-id': 'a\ud800' }],
    ['a quote and a backslash in a name', undefined, { 'ce-id': '"\\' }],
    ['a name of 257 bytes', 'too_large', { 'ce-source': 'é'.repeat(128) + 'a' }],
    ['text as the body', 'attribute_invalid', { 'content-type': 'text/plain' }, 'hello'],
    ['a body that is no JSON', 'malformed_json', {}, '{'],
    ['a body of white space', 'malformed_json', {}, ' '],
    ['a body 9 deep', 'too_deep', {}, '['.repeat(9) + ']'.repeat(9)],
    ['a time that is none', 'attribute_invalid', { 'ce-time': 'noon' }],
    ['a body that is a whole event', undefined, {}, structured()],
  ] as const) {
    it(`${what}: ${reason ?? 'accepted'}`, () => expect(binary(changes, body)).to.equal(reason));
  }
});

describe('the limits of a name', () => {
  for (const name of ['id', 'source', 'type', 'subject']) {
    const refusalOf = (value: string | undefined) => parse(structured({ [name]: value })).refusal;
    const named = (text: string) => refusalOf(JSON.stringify(text));

    it(`${name} is required`, () => {
      for (const value of [undefined, 'null']) {
        expect(refusalOf(value)).to.deep.equal({
          reason: 'attribute_missing',
          detail: `${name} is required`,
        });
      }
    });
    it(`${name} is not empty`, () => expect(named('')?.reason).to.equal('attribute_invalid'));
    it(`${name} is a string`, () => {
      for (const value of ['5', 'true', '{"a":1}', '["a"]']) {
        expect(refusalOf(value)).to.deep.equal({
          reason: 'attribute_invalid',
          detail: `${name} must be a string`,
        });
      }
    });
    it(`${name} has at most ${NAME_BYTES_MAX} bytes of UTF-8, whatever it is written in`, () => {
      for (const [unit, bytes] of [
        ['a', 1],
        ['é', 2],
        ['€', 3],
        ['😀', 4],
      ] as const) {
        const fits = unit.repeat(Math.floor(NAME_BYTES_MAX / bytes));
        const padding = 'x'.repeat(NAME_BYTES_MAX % bytes);
        expect(named(fits + padding), unit).to.equal(undefined);
        expect(named(`${fits}${padding}x`), unit).to.deep.equal({
          reason: 'too_large',
          detail: `${name} has more than 256 bytes`,
        });
      }
      // Escapes are bytes of the message and not of the name.
      expect(refusalOf(`"${String.raw`\u0041`.repeat(NAME_BYTES_MAX)}"`)).to.equal(undefined);
    });
    it(`${name} holds no control character, C0, DEL or C1`, () => {
      for (const code of [0, 1, 9, 10, 0x1f, 0x7f, 0x80, 0x85, 0x9f]) {
        expect(refusalOf(`"a\\u${code.toString(16).padStart(4, '0')}"`)?.reason, String(code)).to.equal(
          'attribute_invalid',
        );
        if (code > 0x1f)
          expect(named(`a${String.fromCharCode(code)}`)?.reason, String(code)).to.equal('attribute_invalid');
      }
      expect(named('a\u00a0 ~\ufffd')).to.equal(undefined);
    });
    it(`${name} is not normalised: two ways to write one letter are two names`, () => {
      const [composed, decomposed] = ['\u00fc', 'u\u0308'].map((text) =>
        accepted(parse(structured({ [name]: `"${text}"` }))),
      );
      expect([composed!.identity, composed!.digest]).to.not.deep.equal([
        decomposed!.identity,
        decomposed!.digest,
      ]);
    });
  }

  it('holds for time, too, which may have any number of decimals', () => {
    const time = (length: number): string => `"2026-03-01T11:59:00.${'1'.repeat(length - 21)}Z"`;
    expect(reasonOf(structured({ time: time(NAME_BYTES_MAX) }))).to.equal(undefined);
    expect(reasonOf(structured({ time: time(NAME_BYTES_MAX + 1) }))).to.equal('too_large');
  });
});

describe('the limits of data and message', () => {
  it('data has at most 64 KiB in canonical form, in bytes of UTF-8', () => {
    for (const [unit, bytes] of [
      ['a', 1],
      ['€', 3],
    ] as const) {
      const count = Math.floor((DATA_BYTES_MAX - 2) / bytes);
      const padding = 'x'.repeat(DATA_BYTES_MAX - 2 - count * bytes);
      expect(reasonOf(structured({ data: `"${unit.repeat(count)}${padding}"` }))).to.equal(undefined);
      expect(reasonOf(structured({ data: `"${unit.repeat(count)}${padding}x"` }))).to.equal('too_large');
    }
  });

  it('white space, escapes and what duplicates replace are no part of data', () => {
    expect(reasonOf(structured({ data: `[${' '.repeat(100_000)}]` }))).to.equal(undefined);
    expect(reasonOf(structured({ data: `"${String.raw`\u0041`.repeat(DATA_BYTES_MAX - 2)}"` }))).to.equal(
      undefined,
    );
    expect(reasonOf(structured({ data: `{"a":"${'a'.repeat(100_000)}","a":1}` }))).to.equal(undefined);
  });

  it('a message has at most 1 MiB', () => {
    const sized = (bytes: number): string => structured() + ' '.repeat(bytes - structured().length);
    expect(reasonOf(sized(MESSAGE_BYTES_MAX))).to.equal(undefined);
    expect(reasonOf(sized(MESSAGE_BYTES_MAX + 1))).to.equal('too_large');
  });
});
