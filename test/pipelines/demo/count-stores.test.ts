import { expect } from 'chai';
import { storable } from '#pipelines/demo/count-stores.ts';
import { plannedEvent, textOf, type Planned } from '#pipelines/demo/data-set.ts';
import { factOf, rejectedMessage } from './facts.ts';

describe('what the demo expects to find stored', () => {
  it('is every event once, every other content of it, and every message that the pipeline refuses', () => {
    const [first, second] = [factOf('a'), factOf('b')];
    const other = factOf('a', { data: { tokens: 8 } });
    const messages: Planned[] = [
      ...[first, second, first].map(plannedEvent),
      { way: 'topic', fact: other, text: textOf(other) },
      { way: 'topic', fact: other, text: textOf(other) },
      { ...rejectedMessage, way: 'topic' },
    ];
    expect(storable(messages)).to.deep.equal({ events: 2, conflicts: 1, deadLetters: 1 });
  });

  it('is nothing of what the API refuses at once', () => {
    expect(storable([rejectedMessage])).to.deep.equal({ events: 0, conflicts: 0, deadLetters: 0 });
  });
});
