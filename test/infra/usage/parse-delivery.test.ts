import { expect } from 'chai';
import { identityOf } from '#domain/metering/identity.ts';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { Message } from '#infra/topic/topic.ts';
import { parseDeadLetterId, toDeadLetterId } from '#infra/usage/dead-letter-name.ts';
import { importAttributes, namespaceAttributes, replayAttributes } from '#infra/usage/feed.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { messageOf, NOON, SOURCE } from './usage-fixture.ts';

const LETTER = { feed: 'events/pipeline', messageId: '17/a%' };
const ofApi = (message: Message) => parseDelivery({ kind: 'attribute', strays: 'operator' }, message);

describe('the namespace of a message', () => {
  it('comes from the feed alone where the rule is fixed, whatever the attributes say', () => {
    const message = messageOf(
      {},
      { ...namespaceAttributes('other'), ...replayAttributes('other', LETTER, 5) },
    );
    const delivery = parseDelivery({ kind: 'fixed', namespace: 'mine' }, message);
    expect(delivery).to.include({ namespace: 'mine', message });
    expect(delivery.event).to.include({ namespace: 'mine', publishTime: NOON });
    expect(delivery).to.not.have.property('replays');
  });

  it('comes from the attribute where that is trusted, and makes another event of the same source and id', () => {
    for (const namespace of ['default', 'tenant.7', '0_a-b'])
      expect(ofApi(messageOf({}, namespaceAttributes(namespace))).event).to.include({
        namespace,
        identity: identityOf(namespace, SOURCE, 'e-1'),
      });
  });

  for (const [what, attributes, reason] of [
    ['none', {}, 'attribute_missing'],
    ['an empty one', namespaceAttributes(''), 'attribute_invalid'],
    ['one with capitals', namespaceAttributes('Tenant'), 'attribute_invalid'],
    ['one with a zero byte', namespaceAttributes('a\0b'), 'attribute_invalid'],
    ['one that is too long', namespaceAttributes('a'.repeat(64)), 'attribute_invalid'],
  ] as const) {
    it(`that names ${what} is the operator's to look into, with what the event said`, () => {
      const delivery = ofApi(messageOf({}, attributes));
      expect([delivery.namespace, delivery.event]).to.deep.equal(['operator', undefined]);
      expect(delivery).to.have.nested.property('refusal.reason', reason);
      expect(delivery).to.have.deep.property('known', {
        id: 'e-1',
        source: SOURCE,
        type: 'use',
        subject: 'acme',
      });
    });
  }
});

describe('a message that replays a dead letter', () => {
  const replay = (said: Parameters<typeof messageOf>[0], first = NOON) =>
    ofApi(messageOf(said, replayAttributes('mine', LETTER, first)));

  it('names the letter, and is judged as at the time it was first published', () => {
    const late = NOON + 60 * MICROS_PER_DAY;
    expect(replay({ publishTime: late })).to.deep.include({ namespace: 'mine', replays: LETTER });
    expect(replay({ publishTime: late }).event).to.include({ publishTime: NOON });
    expect(replay({ publishTime: late, time: undefined }).event?.time).to.equal(NOON);
    expect(replay({ publishTime: late }, late)).to.have.nested.property('refusal.reason', 'too_old');
  });

  it('is refused where its attributes do not fit together', () => {
    const { 'millrace-replay': _, ...withoutLetter } = replayAttributes('mine', LETTER, NOON);
    const { 'millrace-published-at': __, ...withoutTime } = replayAttributes('mine', LETTER, NOON);
    for (const attributes of [
      withoutLetter,
      withoutTime,
      { ...withoutTime, 'millrace-published-at': 'yesterday' },
      { ...withoutLetter, 'millrace-replay': 'a:b:c' },
    ]) {
      const delivery = ofApi(messageOf({}, attributes));
      expect(delivery).to.have.nested.property('refusal.reason', 'attribute_invalid');
      expect(delivery.namespace).to.equal('mine');
    }
  });
});

describe('the id of a dead letter', () => {
  it('names feed and message in one text, whatever is in them', () => {
    for (const letter of [LETTER, { feed: 'ü', messageId: '1' }, { feed: 'a b', messageId: '%2F' }])
      expect(parseDeadLetterId(toDeadLetterId(letter))).to.deep.equal(letter);
  });

  it('is none of a text that was not made so', () => {
    for (const text of ['', ':', 'a', 'a:', ':b', 'a:b:c', 'a:%', '%E0%A4%A:b'])
      expect(parseDeadLetterId(text), text).to.equal(undefined);
  });
});

describe('a message that is imported', () => {
  const late = NOON + 60 * MICROS_PER_DAY;
  const attributes = importAttributes('mine', NOON);

  it('is judged and dated by when it was first published', () => {
    const imported = ofApi(messageOf({ publishTime: late }, attributes));
    expect(imported.event).to.include({ namespace: 'mine', publishTime: NOON });
    expect(ofApi(messageOf({ publishTime: late, time: undefined }, attributes)).event?.time).to.equal(NOON);
  });

  it('keeps that time when it becomes a dead letter', () => {
    const refused = ofApi(messageOf({ publishTime: late, subject: '' }, attributes));
    expect(refused).to.have.nested.property('refusal.reason', 'attribute_invalid');
    expect(refused.message.publishTime).to.equal(NOON);
  });

  it('is refused where it does not say so in a form that can be read', () => {
    const bad = ofApi(messageOf({}, { ...attributes, 'millrace-first-published-at': 'once' }));
    expect(bad).to.have.nested.property('refusal.reason', 'attribute_invalid');
  });

  it('is not trusted where the rule is fixed, nor beside what says that a dead letter is replayed', () => {
    const fixed = parseDelivery(
      { kind: 'fixed', namespace: 'mine' },
      messageOf({ publishTime: late }, attributes),
    );
    expect(fixed).to.have.nested.property('refusal.reason', 'too_old');
    const both = { ...attributes, ...replayAttributes('mine', LETTER, late) };
    expect(ofApi(messageOf({ publishTime: late }, both))).to.have.nested.property(
      'refusal.reason',
      'too_old',
    );
  });
});

describe('the sources that a feed takes', () => {
  const from = (source: string, sources?: readonly string[]) =>
    parseDelivery({ kind: 'fixed', namespace: 'mine', ...(sources && { sources }) }, messageOf({ source }));

  it('are all where none is named', () => {
    expect(from('urn:anyone').event).to.include({ source: 'urn:anyone' });
  });

  it('are those that are named, whole or by how they begin', () => {
    const sources = ['urn:svc:chat', 'urn:team:a:*'];
    for (const source of ['urn:svc:chat', 'urn:team:a:', 'urn:team:a:one'])
      expect(from(source, sources).event, source).to.include({ source });
    for (const source of ['urn:svc:chat2', 'urn:svc:cha', 'urn:team:b:one', 'URN:SVC:CHAT', '*'])
      expect(from(source, sources), source).to.have.nested.property('refusal.reason', 'source_not_allowed');
  });

  it('are none where the list is empty, and every one by a lone star', () => {
    expect(from('urn:svc:chat', []).event).to.equal(undefined);
    expect(from('urn:svc:chat', ['*']).event).to.include({ source: 'urn:svc:chat' });
  });

  it('leave what is known of a refused event to find it by, and its message as it came', () => {
    const delivery = from('urn:other', ['urn:svc:chat']);
    expect(delivery).to.have.deep.property('known', {
      id: 'e-1',
      source: 'urn:other',
      type: 'use',
      subject: 'acme',
    });
    expect(delivery).to.have.property('namespace', 'mine');
    expect(delivery).to.not.have.property('event');
  });

  it('hide no other fault of a message', () => {
    const delivery = parseDelivery(
      { kind: 'fixed', namespace: 'mine', sources: ['urn:svc:chat'] },
      { ...messageOf(), data: Buffer.from('{') },
    );
    expect(delivery).to.have.nested.property('refusal.reason', 'malformed_json');
  });

  it('are asked for where the namespace comes from an attribute, too', () => {
    const delivery = parseDelivery(
      { kind: 'attribute', strays: 'operator', sources: ['urn:svc:chat'] },
      messageOf({}, namespaceAttributes('tenant')),
    );
    expect(delivery).to.deep.include({ namespace: 'tenant' });
    expect(delivery).to.have.nested.property('refusal.reason', 'source_not_allowed');
  });
});
