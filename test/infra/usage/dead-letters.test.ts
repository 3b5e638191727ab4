import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { MESSAGE_BYTES_MAX } from '#domain/limits.ts';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { catalogue, meterVersion } from '#infra/catalogue/tables.ts';
import { appendEventRows, eventRowsOf } from '#infra/usage/append-events.ts';
import { commitDeliveries } from '#infra/usage/commit.ts';
import {
  listDeadLetters,
  readDeadLetter,
  type DeadLetterPage,
  type DeadLetterPosition,
} from '#infra/usage/dead-letters.ts';
import { dismissDeadLetters } from '#infra/usage/dismiss-dead-letters.ts';
import { replayAttributes } from '#infra/usage/feed.ts';
import { parseDelivery } from '#infra/usage/parse-delivery.ts';
import { replayDeadLetters } from '#infra/usage/replay-dead-letters.ts';
import { deadLetter } from '#infra/usage/tables.ts';
import type { DeadLetterSelection } from '#infra/usage/dead-letter-selection.ts';
import {
  commit,
  delivery,
  errorOf,
  exactEvents,
  expectUsage,
  FEED,
  messageOf,
  nameOf,
  NAMESPACE,
  NOON,
  openStores,
  outcomesOf,
  SUM_METER,
  trusted,
} from './usage-fixture.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import type { Said, Stores } from './usage-fixture.ts';

const MINUTE = 60_000_000;
const bad: Said = { data: { w: '1' } };

const list = (
  stores: Stores,
  options: Partial<Parameters<typeof listDeadLetters>[2]> = {},
): Promise<DeadLetterPage> =>
  listDeadLetters(stores.database, NAMESPACE, { state: 'open', limit: 10, ...options });
const idsOf = ({ letters }: DeadLetterPage) => letters.map(({ messageId }) => messageId);
const letterOf = ({ database }: Stores, messageId: string) =>
  database.rows(deadLetter).find((row) => row.messageId === messageId);
const named = (...messageIds: string[]): DeadLetterSelection => ({
  letters: messageIds.map((messageId) => ({ feed: FEED, messageId })),
});

/** The topic that only the API publishes to, and what is delivered of it. */
function openApiTopic(stores: Stores) {
  const topic = stores.topic.open('api');
  const replay = (selection: DeadLetterSelection = { matching: {} }, limits = {}) =>
    replayDeadLetters({ database: stores.database, topic }, NAMESPACE, selection, limits);
  const take = async () => {
    const messages = await topic.pull(1_000);
    const committed = await commitDeliveries({ ...stores.writer(), feed: 'api' }, messages.map(trusted));
    await appendEventRows(stores, eventRowsOf(committed));
    await topic.ack(messages.map(({ ackId }) => ackId));
    return committed;
  };
  return { topic, replay, take };
}

/** A store that refuses events without `v` until its meter is another one. */
async function openRefusing(): Promise<Stores> {
  return openStores({ words: { name: 'Words', eventType: 'use', aggregation: 'sum', value: 'v' } });
}
/** Nothing counts events of the type any more but what takes all of them. */
const mend = ({ database }: Stores) =>
  database.transact(async (tx) => {
    const [row] = await tx.read(meterVersion, [[NAMESPACE, 'words', 1]]);
    const [version] = await tx.read(catalogue, [[NAMESPACE]]);
    if (!row || !version) throw new Error('no meter to mend');
    tx.upsert(catalogue, { ...version, version: version.version + 1 });
    tx.upsert(meterVersion, { ...row, until: version.version + 1 });
  });

describe('listing dead letters', () => {
  async function openListed(): Promise<Stores> {
    const stores = await openStores(SUM_METER);
    for (let i = 0; i < 5; i++) {
      stores.clock.now = NOON + Math.floor(i / 2) * MINUTE;
      await commit(stores, [delivery({ ...bad, id: `e-${i}`, messageId: `m-${i}` })]);
    }
    await commit(stores, [delivery({ id: 'x', messageId: 'many', data: { v: 'many' }, subject: 'globex' })]);
    await commit(stores, [delivery({ messageId: 'old', type: 'other', time: '2025-01-01T00:00:00Z' })]);
    return stores;
  }

  it('shows the newest first, without their messages, and tells all that is known of each', async () => {
    const stores = await openListed();
    const page = await list(stores);
    expect(idsOf(page)).to.deep.equal(['old', 'many', 'm-4', 'm-3', 'm-2', 'm-1', 'm-0']);
    expect(page.next).to.equal(undefined);
    expect(page.letters[1]).to.include({
      feed: FEED,
      state: 'open',
      reason: 'value_not_a_number',
      type: 'use',
      subject: 'globex',
      eventId: 'x',
      receivedAt: NOON + 2 * MINUTE,
      closedAt: null,
      isCut: false,
    });
    expect(page.letters[1]).to.not.have.property('bytes');
  });

  it('goes on exactly where a page ended, also among letters of one moment, while others come and go', async () => {
    const stores = await openListed();
    const seen: string[] = [];
    let after: DeadLetterPosition | undefined;
    for (let page = 0; page < 20; page++) {
      const { letters, next } = await list(stores, { limit: 1, ...(after ? { after } : {}) });
      seen.push(...letters.map(({ messageId }) => messageId));
      if (next === undefined) break;
      after = next;
      stores.clock.now += MINUTE;
      await commit(stores, [delivery({ ...bad, id: `new-${page}` })]);
      if (page === 2)
        await stores.database.transact((tx) => dismissDeadLetters(tx, NAMESPACE, named('m-4', 'm-2')));
    }
    expect(seen).to.deep.equal(['old', 'many', 'm-4', 'm-3', 'm-1', 'm-0']);
  });

  for (const [what, filter, expected] of [
    ['a reason', { reason: 'value_missing' }, ['m-4', 'm-3', 'm-2', 'm-1', 'm-0']],
    ['a type', { type: 'other' }, ['old']],
    ['a time of receipt, from and before', { from: NOON + MINUTE, to: NOON + 2 * MINUTE }, ['m-3', 'm-2']],
    ['all of them together', { reason: 'value_missing', type: 'use', to: NOON + MINUTE }, ['m-1', 'm-0']],
    ['a state that none has', { state: 'replayed' }, []],
  ] as const) {
    it(`chooses by ${what}, page by page as well`, async () => {
      const stores = await openListed();
      expect(idsOf(await list(stores, filter))).to.deep.equal(expected);
      const seen: string[] = [];
      for (let after: DeadLetterPosition | undefined; ;) {
        const page = await list(stores, { ...filter, limit: 2, ...(after ? { after } : {}) });
        seen.push(...idsOf(page));
        after = page.next;
        if (after === undefined) break;
      }
      expect(seen).to.deep.equal(expected);
    });
  }

  it('shows nothing of another namespace, in a list or by name', async () => {
    const stores = await openListed();
    const other = { state: 'open', limit: 10 } as const;
    expect((await listDeadLetters(stores.database, 'sandbox', other)).letters).to.deep.equal([]);
    const name = { feed: FEED, messageId: 'm-1' };
    expect(await readDeadLetter(stores.database, 'sandbox', name)).to.equal(undefined);
    expect((await readDeadLetter(stores.database, NAMESPACE, name))?.bytes.length).to.be.above(0);
  });
});

describe('replaying dead letters', () => {
  it('publishes the original bytes, and the commit that takes the event closes its letter', async () => {
    const stores = await openRefusing();
    const refused = delivery({ ...bad, messageId: 'm' });
    await commit(stores, [refused]);
    const api = openApiTopic(stores);
    await mend(stores);
    stores.clock.now = NOON + MINUTE;
    expect(await api.replay()).to.deep.equal({ published: 1, leftAlone: [] });
    expect(letterOf(stores, 'm')).to.include({ state: 'open', closedAt: null });
    const committed = await api.take();
    expect(outcomesOf(committed)).to.deep.equal(['accepted']);
    expect(letterOf(stores, 'm')).to.include({ state: 'replayed', closedAt: committed.committedAt });
    expect(stores.database.rows(deadLetter)).to.have.length(1);
    const [shown] = await exactEvents(stores);
    expect(shown).to.include({
      namespace: NAMESPACE,
      id: 'e-1',
      published_at: '2026-03-10T12:00:00Z',
    });
  });

  it('judges age by the time of the first publishing, however late the replay', async () => {
    const stores = await openRefusing();
    await commit(stores, [delivery({ ...bad, messageId: 'm' })]);
    const api = openApiTopic(stores);
    await mend(stores);
    stores.clock.now = NOON + 100 * MICROS_PER_DAY;
    await api.replay();
    expect(outcomesOf(await api.take())).to.deep.equal(['accepted']);
  });

  it('that is refused again leaves the one letter open, with the reason of now', async () => {
    const stores = await openRefusing();
    await commit(stores, [delivery({ data: { v: 'many' }, messageId: 'm' })]);
    const api = openApiTopic(stores);
    const before = letterOf(stores, 'm');
    await api.replay();
    await api.take();
    expect(letterOf(stores, 'm'), 'refused as before').to.deep.equal(before);
    await mend(stores);
    await putMeter(stores.database, {
      namespace: NAMESPACE,
      key: 'users',
      definition: { name: 'Users', eventType: 'use', aggregation: 'unique', value: 'u' },
    });
    stores.clock.now = NOON + MINUTE;
    await api.replay();
    await api.take();
    expect(stores.database.rows(deadLetter)).to.have.length(1);
    expect(letterOf(stores, 'm')).to.include({
      reason: 'value_missing',
      state: 'open',
      receivedAt: before?.receivedAt,
    });
    expect(letterOf(stores, 'm')?.publishTime).to.equal(NOON);
  });

  it('closes the letter also where the event is a duplicate, a conflict or void by now, and counts nothing twice', async () => {
    const stores = await openRefusing();
    await commit(stores, [
      delivery({ ...bad, id: 'duplicate', messageId: 'm-1' }),
      delivery({ ...bad, id: 'conflict', messageId: 'm-2' }),
      delivery({ ...bad, id: 'void', messageId: 'm-3' }),
    ]);
    await mend(stores);
    const counted = [delivery({ ...bad, id: 'duplicate' }), delivery({ id: 'conflict', data: { v: '5' } })];
    await commit(stores, counted);
    await voidEvent(stores.writer(), nameOf('void'));
    const api = openApiTopic(stores);
    await api.replay();
    await api.replay();
    expect(new Set(outcomesOf(await api.take()))).to.deep.equal(new Set(['duplicate', 'conflict', 'void']));
    expect(stores.database.rows(deadLetter).map(({ state }) => state)).to.deep.equal([
      'replayed',
      'replayed',
      'replayed',
    ]);
    expect((await exactEvents(stores)).map((row) => row['id'])).to.have.members(['duplicate', 'conflict']);
  });

  it('keeps a letter closed when the refused message itself comes again', async () => {
    const stores = await openRefusing();
    const refused = [
      delivery({ ...bad, messageId: 'm-1' }),
      delivery({ ...bad, id: 'e-2', messageId: 'm-2' }),
    ];
    await commit(stores, refused);
    await stores.database.transact((tx) => dismissDeadLetters(tx, NAMESPACE, named('m-1')));
    const dismissed = letterOf(stores, 'm-1');
    const open = letterOf(stores, 'm-2');
    stores.clock.now = NOON + MINUTE;
    const committed = await commit(stores, refused);
    expect(committed.refused).to.have.length(2);
    expect(letterOf(stores, 'm-1')).to.deep.equal(dismissed);
    expect(letterOf(stores, 'm-2'), 'an open one keeps its place').to.deep.equal(open);
  });

  it('trusts the attributes of the API alone: a producer that sends them closes and claims nothing', async () => {
    const stores = await openRefusing();
    await commit(stores, [delivery({ ...bad, messageId: 'm' })]);
    const api = openApiTopic(stores);
    await api.replay();
    const [replayed] = await api.topic.pull(1);
    const forged = messageOf({ id: 'forged' }, replayed!.attributes);
    await commit(stores, [
      trusted({ ...forged, attributes: { ...forged.attributes, 'millrace-namespace': 'sandbox' } }),
    ]);
    expect(letterOf(stores, 'm'), 'a letter of another namespace').to.include({ state: 'open' });
    const own = { ...delivery({ id: 'own' }), message: forged };
    await commit(stores, [own]);
    expect(letterOf(stores, 'm')).to.include({ state: 'open' });
  });

  it('takes along the attributes of the event, and nothing that a producer wrote in our name', async () => {
    const stores = await openRefusing();
    const attributes = { 'ce-extra': '1', 'millrace-first-published-at': 'x', 'millrace-heartbeat': '1' };
    const message = messageOf({ ...bad, messageId: 'm' }, attributes);
    await commit(stores, [parseDelivery({ kind: 'fixed', namespace: NAMESPACE }, message)]);
    const api = openApiTopic(stores);
    await api.replay();
    const [replayed] = await api.topic.pull(1);
    expect(replayed?.attributes).to.deep.equal({
      'ce-extra': '1',
      ...replayAttributes(NAMESPACE, { feed: FEED, messageId: 'm' }, NOON),
    });
  });

  it('goes through what matches in calls of bounded size, and says where the next one goes on', async () => {
    const stores = await openRefusing();
    await commit(
      stores,
      Array.from({ length: 7 }, (_, i) => delivery({ ...bad, id: `e-${i}`, messageId: `m-${i}` })),
    );
    const api = openApiTopic(stores);
    const first = await api.replay({ matching: { reason: 'value_missing' } }, { max: 3 });
    expect(first.published).to.equal(3);
    const second = await api.replay(
      { matching: { reason: 'value_missing' }, after: first.next! },
      { max: 3 },
    );
    const third = await api.replay(
      { matching: { reason: 'value_missing' }, after: second.next! },
      { max: 3 },
    );
    expect([second.published, third.published, third.next]).to.deep.equal([3, 1, undefined]);
    const published = (await api.topic.pull(100)).map(({ attributes }) => attributes['millrace-replay']);
    expect(new Set(published).size).to.equal(7);
    const error = await errorOf(() => api.replay(named('a', 'b'), { max: 1 }));
    expect(error).to.include({ code: 'too_many_letters' });
  });

  it('leaves alone, and names, what is not there, closed, not kept whole, or would not fit into a message', async () => {
    const stores = await openRefusing();
    const large = { ...messageOf({ messageId: 'large' }), data: new Uint8Array(MESSAGE_BYTES_MAX + 1) };
    const many = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`a-${i}`, '']));
    const wide = messageOf({ ...bad, id: 'wide', messageId: 'wide' }, many);
    await commit(stores, [
      delivery({ ...bad, messageId: 'closed' }),
      ...[large, wide].map((message) =>
        trusted({ ...message, attributes: { ...message.attributes, 'millrace-namespace': NAMESPACE } }),
      ),
    ]);
    await stores.database.transact((tx) => dismissDeadLetters(tx, NAMESPACE, named('closed')));
    const { published, leftAlone } = await openApiTopic(stores).replay(
      named('none', 'closed', 'large', 'wide'),
    );
    expect(published).to.equal(0);
    expect(leftAlone.map(({ messageId, why }) => [messageId, why])).to.have.deep.members([
      ['none', 'not_found'],
      ['closed', 'closed'],
      ['large', 'cut'],
      ['wide', 'too_many_attributes'],
    ]);
  });

  it('of a message that did not say whose it is counts it where its letter lies', async () => {
    const stores = await openStores(SUM_METER);
    const stray = messageOf({ messageId: 'stray' });
    await commit(stores, [trusted(stray)]);
    expect(letterOf(stores, 'stray')).to.include({
      namespace: NAMESPACE,
      reason: 'attribute_missing',
      eventId: 'e-1',
    });
    const api = openApiTopic(stores);
    await api.replay();
    expect(outcomesOf(await api.take())).to.deep.equal(['accepted']);
    expect(letterOf(stores, 'stray')?.state).to.equal('replayed');
    expectUsage(stores, { live: [delivery()] });
  });
});

describe('dismissing dead letters', () => {
  it('closes those that match, and leaves alone what is closed already', async () => {
    const stores = await openRefusing();
    await commit(
      stores,
      ['m-1', 'm-2', 'm-3'].map((messageId) => delivery({ ...bad, id: messageId, messageId })),
    );
    const dismiss = async (selection: DeadLetterSelection, max?: number) => {
      const limits = max === undefined ? {} : { max };
      return (await stores.database.transact((tx) => dismissDeadLetters(tx, NAMESPACE, selection, limits)))
        .result;
    };
    expect(await dismiss(named('m-1'))).to.deep.equal({ dismissed: 1, leftAlone: [] });
    expect(await dismiss(named('m-1'))).to.deep.equal({
      dismissed: 0,
      leftAlone: [{ feed: FEED, messageId: 'm-1', why: 'closed' }],
    });
    const first = await dismiss({ matching: { type: 'use' } }, 1);
    expect([first.dismissed, first.next?.messageId]).to.deep.equal([1, 'm-3']);
    expect((await dismiss({ matching: { type: 'use' } })).dismissed).to.equal(1);
    expect(
      stores.database
        .rows(deadLetter)
        .every(({ state, closedAt }) => state === 'dismissed' && closedAt !== null),
    ).to.equal(true);
  });

  it('does not keep a replay that is under way from being taken: the letter then says replayed', async () => {
    const stores = await openRefusing();
    await commit(stores, [delivery({ ...bad, messageId: 'm' })]);
    await mend(stores);
    const api = openApiTopic(stores);
    await api.replay();
    await stores.database.transact((tx) => dismissDeadLetters(tx, NAMESPACE, named('m')));
    await api.take();
    expect(letterOf(stores, 'm')?.state).to.equal('replayed');
  });
});
