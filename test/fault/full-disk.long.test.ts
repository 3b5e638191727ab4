import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { inLocalDirectory } from '#test/support/local-stores.ts';
import type { Child } from '#test/support/child-process.ts';
import { expectNoneRejected, startLoad } from './load.ts';
import { withSeed } from './seeds.ts';

const EVENTS = 1_200;
/** The first page of a file only: every write of a database, a log or a segment fails. */
const NO_ROOM_BYTES = 4_096;

/** Bounds the files that a running process may write (the soft limit): beyond it a write fails as on a disk that has no more to give. */
const limitFiles = ({ pid }: Child, bytes: number | 'unlimited'): void =>
  void execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);

describe('a full disk', () => {
  it('fails commits, appends and publishing with clear errors; nothing is lost, and all goes on once there is room', () =>
    inLocalDirectory((directory, cleanup) =>
      withSeed(async (draw) => {
        // A publish that failed may be delivered all the same, so bad messages could be dead letters twice: the plan has none.
        const load = await startLoad(directory, cleanup, {
          draw,
          options: { events: EVENTS, refusals: false },
        });
        await load.publish('before');
        await load.committed('before');
        limitFiles(load.pipeline(), NO_ROOM_BYTES);
        await load.publish('during');
        await load.pipeline().reports(8);
        limitFiles(load.producer, NO_ROOM_BYTES);
        const publishing = load.publish('after');
        await load.producer.failed(3);
        expect(load.producer.lastError()).to.contain('could not make the messages durable');
        expect(load.pipeline().errorText()).to.match(/EFBIG|disk/);
        await expectNoneRejected(load.stores);
        limitFiles(load.producer, 'unlimited');
        await publishing;
        limitFiles(load.pipeline(), 'unlimited');
        await load.finish();
      }),
    ));
});
