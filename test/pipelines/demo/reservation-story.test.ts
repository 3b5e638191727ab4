import { expect } from 'chai';
import fc from 'fast-check';
import { createApiClient } from '#pipelines/demo/api-client.ts';
import { plannedTwice } from '#pipelines/demo/data-set.ts';
import { putCatalogue } from '#pipelines/demo/put-catalogue.ts';
import { keepStoryEvent, pieceOf, tellReservations } from '#pipelines/demo/reservation-story.ts';
import { withApi } from '#test/support/api-server.ts';
import { dataSetOf, factOf } from './facts.ts';

describe('the story of reservations', () => {
  it('reserves pieces of which a limit holds a few, and refuses the next', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 4n, max: 10n ** 20n }), (remaining) => {
        const fitting = remaining / pieceOf(remaining);
        expect(fitting >= 4n && fitting <= 9n, `${fitting} of ${pieceOf(remaining)}`).to.equal(true);
      }),
    );
  });

  it('keeps back every copy of an event that says one thing, and nothing else', () => {
    const [first, second] = [factOf('c'), factOf('c', { data: { tokens: 9 } })];
    const set = dataSetOf([
      factOf('a'),
      factOf('x', { subject: 'other' }),
      first,
      factOf('b'),
      first,
      second,
      first,
    ]);
    const twice = { ...set, planned: plannedTwice(set.planned) };
    const { flow, storyEvent } = keepStoryEvent(twice);
    expect(storyEvent.fact.id).to.equal('b');
    expect(storyEvent.actual).to.equal('7');
    expect(storyEvent.copies.map(({ way }) => way)).to.have.members(['http', 'topic']);
    expect([...flow, ...storyEvent.copies]).to.have.members(twice.planned);
  });

  it('is not well where a balance is not as it must be', () =>
    withApi(async ({ api, key }) => {
      const set = dataSetOf([factOf('a')]);
      const client = createApiClient({ url: api.url, key });
      await putCatalogue(client, set.catalogue, set.from);
      const { storyEvent } = keepStoryEvent(set);
      // Nobody commits the event, so what it uses never shows.
      const lost = async (): Promise<void> => undefined;
      const story = await tellReservations({ ...set.storyLimit, client, storyEvent, send: lost });
      expect(story.refused).to.include({ status: 409, code: 'quota_exceeded', reason: 'quota_exceeded' });
      expect(story.steps.slice(0, 2).map(({ found, expected }) => [found, expected])).to.deep.equal(
        story.steps.slice(0, 2).map(({ expected }) => [expected, expected]),
      );
      expect(story.ok).to.equal(false);
    }));
});
