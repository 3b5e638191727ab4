import { expect } from 'chai';
import fc from 'fast-check';
import { parseEvent, type ParsedEvent } from '#domain/metering/parse-event.ts';
import { alikeEvents, READ_OFTEN, REMEMBERED_EVENTS } from './alike-events.ts';

const NOON = Date.UTC(2026, 2, 1, 12) * 1_000;
const parse = (text: string): ParsedEvent =>
  parseEvent('default', { data: Buffer.from(text), attributes: {}, publishTime: NOON });

describe('events that are written alike', () => {
  it('are read as each would be by itself, whatever was read before', () => {
    for (const text of REMEMBERED_EVENTS) for (let i = 0; i < READ_OFTEN; i++) parse(text);
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(alikeEvents, { minLength: 1 }), (texts) => {
        for (const text of texts) {
          const parsed = parse(text);
          // With a space before it a text is like none that was read before, and says the same.
          expect(parsed, text).to.deep.equal(parse(` ${text}`));
          if (parsed.event) accepted++;
        }
      }),
      { numRuns: 1_000 },
    );
    expect(accepted).to.be.greaterThan(500);
  });

  it('keep nothing of one in the next: an attribute that it does not have is missing', () => {
    const whole = '{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"acme","data":{"n":1}}';
    for (let i = 0; i < READ_OFTEN; i++) expect(parse(whole).event?.subject).to.equal('acme');
    expect(parse('{"specversion":"1.0","id":"1","source":"s","type":"t"}').refusal?.reason).to.equal(
      'attribute_missing',
    );
    expect(
      parse('{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"acme"}').event?.data,
    ).to.equal('null');
  });
});
