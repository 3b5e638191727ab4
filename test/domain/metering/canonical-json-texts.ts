import fc from 'fast-check';

const joined = (parts: fc.Arbitrary<string>, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(parts, { minLength, maxLength }).map((all) => all.join(''));

const space = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  joined(fc.constantFrom(' ', '\n', '\r', '\t'), 1, 3),
);

const raw = fc.constantFrom(...'abzé€/{}[]:, 0', '\u007f', '\u2028', '😀', '\ue000', '\uffff');
const escape = fc.constantFrom(
  ...['\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0000', '\\u001F', '\\u0041', '\\u00e9'],
  ...['\\u005c', '\\u0022', '\\ud83d\\ude00', '\\uD83D\\uDE00', '\\uE000', '\\u2028', '\\ud83d\\ude00\\\\'],
);
const broken = fc.constantFrom(
  '\\ud800',
  '\\udc00',
  '\\ude00\\ud83d',
  '\\x',
  '\\u12g4',
  '\\u12',
  '\u0001',
  '\n',
  '\ud800',
  '\\',
);

const stringOf = (pieces: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  joined(pieces, 0, 6).map((inside) => `"${inside}"`);
const quoted = fc.oneof(
  { weight: 10, arbitrary: stringOf(raw) },
  { weight: 10, arbitrary: stringOf(fc.oneof(raw, escape)) },
  {
    weight: 1,
    arbitrary: stringOf(fc.oneof({ weight: 5, arbitrary: raw }, { weight: 1, arbitrary: broken })),
  },
);
/** Few keys, so that objects have duplicates; the same one is also written with escapes. */
const key = fc.oneof(
  fc.constantFrom('"a"', '"b"', '"\\u0061"', '"aa"', '""', '"\\u20ac"', '"€"', '"😀"', '"\ue000"'),
  quoted,
);

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  joined(fc.constantFrom(...'0000123456789'), minLength, maxLength);
const integer = fc.oneof(
  fc.constant('0'),
  fc
    .tuple(fc.constantFrom(...'123456789'), fc.oneof(digits(0, 4), digits(0, 70)))
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '9'.repeat(64),
    '9'.repeat(65),
    `1${'0'.repeat(63)}`,
    `1${'0'.repeat(64)}`,
    '9007199254740993',
  ),
);
const fraction = fc
  .oneof(digits(1, 5), digits(1, 70), fc.constantFrom('0', '00', '50', '30000000000000004'))
  .map((text) => `.${text}`);
const exponent = fc
  .tuple(
    fc.constantFrom('e', 'E'),
    fc.constantFrom('', '+', '-'),
    fc.constantFrom('0', '00', '1', '2', '05', '63', '64', '65', '99', '999999', '9'.repeat(40)),
  )
  .map((parts) => parts.join(''));
const optional = (text: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof(fc.constant(''), text);

/** Numbers of all shapes that JSON has, around the limit of 64 digits and the sign of zero. */
export const numberTexts: fc.Arbitrary<string> = fc
  .tuple(optional(fc.constant('-')), integer, optional(fraction), optional(exponent))
  .map((parts) => parts.join(''));

const brokenNumber = fc.constantFrom(
  '01',
  '-',
  '+1',
  '.5',
  '1.',
  '1e',
  '1e+',
  '-01',
  'NaN',
  '-Infinity',
  '0x10',
  '1_000',
  'nul',
  'True',
  '--1',
  '1.2.3',
);
const atom = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(fc.constantFrom('true', 'false', 'null'), quoted, numberTexts) },
  { weight: 1, arbitrary: brokenNumber },
);

const withSpace = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(space, text, space).map((parts) => parts.join(''));

const nested = (depth: number, inner: string, list: boolean): string =>
  list ? '['.repeat(depth) + inner + ']'.repeat(depth) : '{"k":'.repeat(depth) + inner + '}'.repeat(depth);

/** JSON texts, most of them valid: nested, spaced, escaped, with duplicate and unsorted keys; some with a fault in one part. */
export const jsonTexts: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    withSpace(atom),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(withSpace(key), tie('value')), { maxLength: 5 })
      .map((members) => `{${members.map(([name, value]) => `${name}:${value}`).join(',')}}`),
    fc
      .tuple(fc.integer({ min: 3, max: 10 }), atom, fc.boolean())
      .map(([depth, inner, list]) => nested(depth, inner, list)),
  ),
})).value;

/** A text with one edit: a character gone, replaced or put in, the end cut off, or something after it. */
export const editedTexts: fc.Arbitrary<string> = fc
  .tuple(
    jsonTexts,
    fc.nat(),
    fc.constantFrom('drop', 'replace', 'insert', 'cut', 'append'),
    fc.constantFrom(...'{}[]",:\\0e-.tn \u0000\u0008'),
  )
  .map(([text, position, edit, character]) => {
    const at = position % (text.length + 1);
    if (edit === 'drop') return text.slice(0, at) + text.slice(at + 1);
    if (edit === 'replace') return text.slice(0, at) + character + text.slice(at + 1);
    if (edit === 'insert') return text.slice(0, at) + character + text.slice(at);
    return edit === 'cut' ? text.slice(0, at) : text + character;
  });
