import { expect } from 'chai';
import fc from 'fast-check';
import { judgeSent } from '#api/events/judge-events.ts';
import { JSON_TYPE, readSentEvents } from '#api/events/read-request.ts';
import { encodeResults, resultsOf } from '#api/events/results.ts';
import { judgeMessage } from '#domain/metering/parse-event.ts';
import { alikeEvents, READ_OFTEN, REMEMBERED_EVENTS } from '#test/domain/metering/alike-events.ts';

const NOON = Date.UTC(2026, 2, 1, 12) * 1_000;

describe('the results of a batch', () => {
  before(() => {
    for (const event of REMEMBERED_EVENTS)
      for (let i = 0; i < READ_OFTEN; i++)
        judgeMessage({ data: Buffer.from(event), attributes: {}, publishTime: NOON });
  });

  it('are the same as text and as values, accepted or refused, whatever stands in the names', () => {
    const beyondAscii = fc.constant(
      '{"specversion":"1.0","id":"ü\\"1","source":"s\\u0041","type":"t","subject":"Zürich","data":{"n":1}}',
    );
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 8, arbitrary: alikeEvents }, beyondAscii), { minLength: 1 }),
        (events) => {
          const bytes = Buffer.from(`[${events.join(',')}]`);
          const sent = readSentEvents({}, { mediaType: JSON_TYPE, bytes });
          const judged = sent.map((each) => judgeSent(each, { now: NOON, catalogue: undefined }));
          const taken = judged.filter(({ refusal }) => refusal === undefined).length;
          accepted += taken;
          const text = encodeResults(judged, taken).toString('utf8');
          expect(text).to.equal(JSON.stringify(resultsOf(judged, taken)));
        },
      ),
      { numRuns: 500 },
    );
    expect(accepted).to.be.greaterThan(500);
  });
});
