import { expect } from 'chai';
import fc from 'fast-check';
import { judgeMessage, parseEvent } from '#domain/metering/parse-event.ts';

const NOON = Date.UTC(2026, 2, 1, 12) * 1_000;

const member = fc.oneof(
  fc.constantFrom(
    '1.0',
    'acme',
    'llm.request',
    '',
    '2026-03-01T11:00:00.5+01:00',
    '2020-01-01T00:00:00Z',
    'x\u0000',
  ),
  fc.string(),
  fc.jsonValue({ maxDepth: 10 }),
);
const structured = fc.record(
  {
    specversion: fc.oneof({ weight: 9, arbitrary: fc.constant('1.0') }, member),
    id: member,
    source: member,
    type: member,
    subject: member,
    time: member,
    datacontenttype: fc.constantFrom('application/json', 'text/plain'),
    data: fc.jsonValue(),
    trace: member,
  },
  { requiredKeys: [] },
);
const bodies = fc.oneof(
  structured.map((event) => Buffer.from(JSON.stringify(event))),
  fc.string().map((text) => Buffer.from(text)),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
const attributes = fc.oneof(
  fc.constant({}),
  fc.dictionary(
    fc.constantFrom('ce-specversion', 'ce-id', 'ce-source', 'ce-type', 'ce-subject', 'ce-time'),
    fc.string(),
  ),
  fc.constant({
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': 's',
    'ce-type': 't',
    'ce-subject': 'acme',
  }),
);

describe('judging a message without naming its event', () => {
  it('accepts, refuses and reads exactly as the parser does', () => {
    let accepted = 0;
    fc.assert(
      fc.property(bodies, attributes, (data, given) => {
        const message = { data, attributes: given, publishTime: NOON };
        const parsed = parseEvent('default', message);
        const judged = judgeMessage(message);
        if (parsed.event === undefined) return void expect(judged).to.deep.equal(parsed);
        accepted++;
        const { id, source, type, subject, time, data: said } = parsed.event;
        expect(judged).to.deep.equal({ event: { id, source, type, subject, time, data: said } });
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).to.be.greaterThan(50);
  });
});
