import fc from 'fast-check';

const name = fc.oneof(
  fc.constantFrom('acme', 'urn:svc', 'llm.request', '1.0', '2026-03-01T11:00:00.5Z', ''),
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z:. 0-9]{1,12}$/) },
  fc.stringMatching(/^[ -~]{0,12}$/),
);
const data = fc.oneof(
  fc.constantFrom(
    '{"tokens":12}',
    '{"b":1,"a":1.50}',
    '{"tokens": 12}',
    'null',
    '[1, "x"]',
    '1e2',
    '-0',
    '1e99',
    '01',
    'tru',
  ),
  fc.constant(`${'['.repeat(9)}${']'.repeat(9)}`),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
);
/** How producers write: members in an order of their own, each with white space of its own. */
const written = fc.constantFrom(
  [
    '{"specversion":"1.0","id":',
    ',"source":',
    ',"type":',
    ',"subject":',
    ',"time":"2026-03-01T11:00:00Z","data":',
    '}',
  ],
  ['{ "id": ', ', "source": ', ', "type": ', ', "subject": ', ', "specversion": "1.0", "data": ', ' }'],
  ['{"specversion":"1.0","data":1,"id":', ',"source":', ',"type":', ',"subject":', ',"data":', '}'],
  ['{"specversion":"1.0","id":', ',"source":', ',"type":', ',"subject":', ',"trace":"x","data":', '}'],
);

/** Texts of events that are written much alike: most are events, some hold what none may hold, or say a thing twice. */
export const alikeEvents = fc
  .tuple(
    written,
    fc.array(name, { minLength: 4, maxLength: 4 }),
    data,
    fc.oneof({ weight: 20, arbitrary: fc.constant('') }, fc.constantFrom(' 1', '\\u0041')),
  )
  .map(([pieces, names, value, after]) => {
    const values = [...names.map((each) => JSON.stringify(each)), value];
    return pieces.map((piece, at) => piece + (values[at] ?? after)).join('');
  });

/** One of each way of writing that can be remembered: read often, it is. */
export const REMEMBERED_EVENTS: readonly string[] = [
  '{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"acme","time":"2026-03-01T11:00:00Z","data":{"n":1}}',
  '{ "id": "1", "source": "s", "type": "t", "subject": "acme", "specversion": "1.0", "data": {"n":1} }',
];
export const READ_OFTEN = 40;
