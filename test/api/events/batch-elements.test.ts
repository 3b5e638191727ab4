import { expect } from 'chai';
import fc from 'fast-check';
import { judgeMessage, judgeRead } from '#domain/metering/parse-event.ts';
import { alikeEvents, READ_OFTEN, REMEMBERED_EVENTS } from '#test/domain/metering/alike-events.ts';
import { cutBatch, startsWithArray } from '#api/events/batch-elements.ts';
import type { SentEvent } from '#api/events/sent-event.ts';

const text = ({ data }: SentEvent): string => Buffer.from(data).toString('utf8');
const cut = (source: string, max = 1_000): readonly string[] | string => {
  const { elements, fault } = cutBatch(Buffer.from(source), max);
  return fault ?? elements.map(text);
};

const space = fc.stringMatching(/^[ \n\r\t]{0,3}$/);

describe('cutting a batch into its events', () => {
  it('gives every element as the bytes it was sent with, digits, escapes and inner spaces included', () => {
    expect(cut(' [ {"n": 9007199254740993 },\n{"s":"a\\"],{"}\t, [1,[2]] ,"]",1e3 ] ')).to.deep.equal([
      '{"n": 9007199254740993 }',
      '{"s":"a\\"],{"}',
      '[1,[2]]',
      '"]"',
      '1e3',
    ]);
    expect(cut('["Zürich/7","😀,"]')).to.deep.equal(['"Zürich/7"', '"😀,"']);
    expect(cut('[]')).to.deep.equal([]);
    expect(cut(' [ \n] ')).to.deep.equal([]);
  });

  it('finds the elements of every JSON array, however it is spaced', () => {
    fc.assert(
      fc.property(fc.array(fc.json()), fc.array(space, { minLength: 1 }), (values, spaces) => {
        const spaceAt = (at: number): string => spaces[at % spaces.length] ?? '';
        const items = values.map((value, at) => `${spaceAt(at)}${value.trim()}${spaceAt(at + 1)}`);
        expect(cut(`[${items.join(',')}]`)).to.deep.equal(values.map((value) => value.trim()));
      }),
    );
  });

  it('names what is no array, and what does not end as it began', () => {
    for (const source of ['', ' ', '{}', '"[]"', 'null', '\uFEFF[]'])
      expect(cut(source), source).to.equal('not_an_array');
    for (const source of [
      '[',
      '[1',
      '[1,',
      '[1,]',
      '[,]',
      '[,1]',
      '[1,,2]',
      '[1]]',
      '[1] 2',
      '[1}',
      '["a]',
      '["a\\',
      '[{]',
    ])
      expect(cut(source), source).to.equal('cut');
  });

  it('leaves a broken element to its parser, so that it does not take the others with it', () => {
    expect(cut('[{"a":tru},{"b":1}]')).to.deep.equal(['{"a":tru}', '{"b":1}']);
    expect(cut('[{"a":1} {"b":1},2]')).to.deep.equal(['{"a":1} {"b":1}', '2']);
  });

  it('stops at the element that is one too many', () => {
    expect(cut('[1,2]', 2)).to.deep.equal(['1', '2']);
    expect(cut('[1,2,3]', 2)).to.equal('too_many');
    expect(cut('[1,2,', 2), 'what follows is no element').to.equal('cut');
  });

  it('reads an event on the way exactly as it would be read by itself, and whatever is broken not at all', () => {
    const now = Date.UTC(2026, 2, 1, 12) * 1_000;
    for (const event of REMEMBERED_EVENTS)
      for (let i = 0; i < READ_OFTEN; i++)
        judgeMessage({ data: Buffer.from(event), attributes: {}, publishTime: now });
    let read = 0;
    fc.assert(
      fc.property(fc.array(alikeEvents, { minLength: 1 }), space, (events, between) => {
        const { elements = [] } = cutBatch(Buffer.from(`[${events.join(`${between},${between}`)}]`), 1_000);
        for (const { data, envelope } of elements) {
          if (envelope === undefined) continue;
          read++;
          const message = { data, attributes: {}, publishTime: now };
          // With a space before it an event is like none that was read before.
          const alone = { ...message, data: Buffer.concat([Buffer.from(' '), data]) };
          expect(judgeRead(envelope, message)).to.deep.equal(judgeMessage(alone));
        }
        expect(elements.map(text)).to.deep.equal(events.map((event) => event.trim()));
      }),
      { numRuns: 1_000 },
    );
    expect(read).to.be.greaterThan(100);
  });

  it('reads events on the way however far into a large batch they lie, whatever stands elsewhere in it', () => {
    const now = Date.UTC(2026, 2, 1, 12) * 1_000;
    const eventOf = (id: number, note: string): string =>
      `{"specversion":"1.0","id":"${id}","source":"s","type":"t","subject":"u","data":{"note":"${note}"}}`;
    for (let i = 0; i < READ_OFTEN; i++)
      judgeMessage({ data: Buffer.from(eventOf(i, 'x')), attributes: {}, publishTime: now });
    const NOTES = ['', 'short', 'x'.repeat(700), 'x'.repeat(5_000), 'x'.repeat(40_000)];
    const events = Array.from({ length: 500 }, (_, id) =>
      eventOf(id, id === 250 ? 'Zürich' : (NOTES[(id * 7) % (id % 50 === 0 ? 5 : 4)] ?? '')),
    );
    const { elements = [] } = cutBatch(Buffer.from(`[${events.join(', ')}]`), 1_000);
    expect(elements.map(text)).to.deep.equal(events);
    const read = elements.filter(({ envelope }) => envelope !== undefined);
    expect(read.length).to.be.greaterThan(400);
    for (const [id, { envelope }] of elements.entries())
      if (envelope !== undefined) expect(envelope.id).to.equal(String(id));
  });

  it('takes any bytes whatever', () => {
    const bytes = fc.uint8Array({ maxLength: 64 });
    fc.assert(
      fc.property(bytes, (any) => {
        const { elements = [] } = cutBatch(Buffer.concat([Buffer.from('['), any]), 1_000);
        for (const { data } of elements) expect(data.length).to.be.greaterThan(0);
        expect(startsWithArray(any)).to.be.a('boolean');
      }),
    );
  });
});
