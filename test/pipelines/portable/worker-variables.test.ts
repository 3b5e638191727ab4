import { expect } from 'chai';
import { DEFAULT_HELD_BOUNDS } from '#infra/fleet/holder.ts';
import {
  readCommitPatience,
  readEmbedded,
  readHeldBounds,
  readJob,
} from '#pipelines/portable/worker-variables.ts';

describe('the variables of a worker of a distributed runner', () => {
  it('have defaults, and one that is empty counts as not set', () => {
    expect(readHeldBounds({ MILLRACE_HELD_MESSAGES: '' })).to.deep.equal(DEFAULT_HELD_BOUNDS);
    expect(readEmbedded({}).ackDeadlineSeconds).to.equal(60);
  });

  it('bound what is held', () => {
    const given = {
      MILLRACE_HELD_MESSAGES: '500',
      MILLRACE_HELD_BYTES: '2000000',
      MILLRACE_HELD_SECONDS: '60',
    };
    expect(readHeldBounds(given)).to.deep.equal({ messagesMax: 500, bytesMax: 2_000_000, secondsMax: 60 });
  });

  it('say how long a bundle waits for a store', () => {
    expect(readCommitPatience({})).to.equal(60);
    expect(readCommitPatience({ MILLRACE_COMMIT_PATIENCE_SECONDS: '0' })).to.equal(0);
    expect(() => readCommitPatience({ MILLRACE_COMMIT_PATIENCE_SECONDS: '601' })).to.throw(
      'MILLRACE_COMMIT_PATIENCE_SECONDS',
    );
  });

  it('name the job that the worker is of, or none', () => {
    expect(readJob({})).to.equal(undefined);
    expect(readJob({ MILLRACE_JOB: 'usage-2' })).to.equal('usage-2');
    expect(() => readJob({ MILLRACE_JOB: 'Usage 2' })).to.throw('MILLRACE_JOB');
  });

  it('are named where they are wrong', () => {
    expect(() => readHeldBounds({ MILLRACE_HELD_SECONDS: '1s' })).to.throw('MILLRACE_HELD_SECONDS');
    expect(() => readEmbedded({ MILLRACE_ACK_DEADLINE_SECONDS: '5' })).to.throw(
      'MILLRACE_ACK_DEADLINE_SECONDS',
    );
  });
});
