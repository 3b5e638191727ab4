import { expect } from 'chai';
import fc from 'fast-check';
import { HTTP_EVENTS_MAX } from '#domain/limits.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import { createApiClient } from '#pipelines/demo/api-client.ts';
import type { Planned } from '#pipelines/demo/data-set.ts';
import { textOf } from '#pipelines/demo/data-set.ts';
import { eventRequests, noAnswers, postEvents } from '#pipelines/demo/event-requests.ts';
import { withApi } from '#test/support/api-server.ts';
import { factOf, rejectedMessage } from './facts.ts';

const planned = (count: number): Planned[] =>
  Array.from({ length: count }, (_, index) => {
    // A subject that no header can hold as it is.
    const fact = factOf(`e-${index}`, { subject: 'zürich/7 %' });
    return { way: 'http', fact, text: textOf(fact) };
  });

const contentOf = (text: string): string => {
  const message = { data: Buffer.from(text), attributes: {}, publishTime: Date.now() * 1_000 };
  const { event } = parseEvent('default', message);
  return `${event?.identity} ${event?.digest}`;
};

describe('the requests of the demo', () => {
  it('hold every message once, within the limits of a request, and broken JSON in none but its own', () => {
    fc.assert(
      fc.property(fc.nat(4_000), fc.nat(3), (events, broken) => {
        const messages = [...planned(events), ...Array<Planned>(broken).fill(rejectedMessage)];
        const requests = eventRequests(messages);
        const held = requests.map(({ mode, text }) =>
          mode === 'batch' ? (JSON.parse(text) as object[]).length : 1,
        );
        expect(held.reduce((sum, count) => sum + count, 0)).to.equal(messages.length);
        expect(Math.max(0, ...held)).to.be.at.most(HTTP_EVENTS_MAX);
        expect(requests.filter(({ text }) => text === rejectedMessage.text)).to.have.lengthOf(broken);
      }),
      { numRuns: 20 },
    );
  });

  it('say the same of an event in every mode, and what the API rejects is counted by its reason', () =>
    withApi(async ({ api, key, stores }) => {
      const messages = planned(700);
      const answers = noAnswers();
      const client = createApiClient({ url: api.url, key });
      await postEvents(client, [...messages, rejectedMessage], answers);
      expect(answers.accepted).to.equal(messages.length);
      expect(answers.rejected).to.deep.equal({ malformed_json: 1 });
      expect(answers.requests).to.deep.equal({ batch: 1, single: 51, binary: 50 });
      const pulled = await stores.topics.api.pull(messages.length + 1);
      const arrived = pulled.map((message) => {
        const { event } = parseEvent('default', message);
        return `${event?.identity} ${event?.digest}`;
      });
      expect(arrived.sort()).to.deep.equal(messages.map(({ text }) => contentOf(text)).sort());
    }));
});
