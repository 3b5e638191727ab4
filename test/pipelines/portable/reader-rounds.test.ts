import { expect } from 'chai';
import { createReaderRounds, UNREAD } from '#pipelines/portable/reader-rounds.ts';

const SECOND = 1_000_000;
const ACK_DEADLINE_SECONDS = 10;
const READER = 'usage-0';

function openRounds(process = 'one', clock = { now: 0 }) {
  const broken: string[] = [];
  const rounds = createReaderRounds({
    ...{ process, clock: () => clock.now, ackDeadlineSeconds: ACK_DEADLINE_SECONDS },
    onBreak: (reader) => broken.push(reader),
  });
  return { rounds, broken, clock };
}

describe('the rounds of a reader', () => {
  it('promise nothing of times for a deadline and a second after a job began, and then they do', () => {
    const { rounds, broken, clock } = openRounds();
    const first = rounds.begin(READER, UNREAD);
    expect(first.holdsBack).to.equal(true);
    let left = first.end();
    clock.now += (ACK_DEADLINE_SECONDS + 1) * SECOND - 1;
    const early = rounds.begin(READER, left);
    expect(early.holdsBack).to.equal(true);
    left = early.end();
    clock.now += 1;
    expect(rounds.begin(READER, left).holdsBack).to.equal(false);
    expect(broken).to.deep.equal([READER]);
  });

  it('begin anew where another process, or an earlier round, left off: what was emitted since may be lost', () => {
    const { rounds, broken, clock } = openRounds();
    const old = rounds.begin(READER, UNREAD).end();
    const last = rounds.begin(READER, old).end();
    clock.now += 60 * SECOND;
    expect(rounds.begin(READER, old).holdsBack, 'restored').to.equal(true);
    const elsewhere = openRounds('two', clock);
    expect(elsewhere.rounds.begin(READER, last).holdsBack, 'in another process').to.equal(true);
    expect([broken.length, elsewhere.broken.length]).to.deep.equal([2, 1]);
  });

  it('begin anew after a round that did not end, though it is run again from the same place', () => {
    const { rounds, broken, clock } = openRounds();
    const left = rounds.begin(READER, UNREAD).end();
    clock.now += 60 * SECOND;
    expect(rounds.begin(READER, left).holdsBack).to.equal(false);
    expect(rounds.begin(READER, left).holdsBack, 'the one before failed').to.equal(true);
    expect(broken).to.have.length(2);
  });

  it('are each reader’s own', () => {
    const { rounds, broken } = openRounds();
    const left = rounds.begin(READER, UNREAD).end();
    rounds.begin('usage-1', UNREAD).end();
    rounds.begin(READER, left).end();
    expect(broken).to.deep.equal([READER, 'usage-1']);
  });
});
