import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newestCheckpoint, removeOtherCheckpoints } from '#infra/engines/flink/kept-checkpoints.ts';

describe('the checkpoints that jobs have left', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-checkpoints-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const write = (job: string, checkpoint: string, writtenAtSeconds?: number): string => {
    const path = join(folder, job, checkpoint);
    mkdirSync(path, { recursive: true });
    if (writtenAtSeconds === undefined) return path;
    const metadata = join(path, '_metadata');
    writeFileSync(metadata, '');
    utimesSync(metadata, writtenAtSeconds, writtenAtSeconds);
    return path;
  };

  it('give the last of any job, though a clock was set back', async () => {
    write('a', 'chk-9', 200);
    const newest = write('b', 'chk-11', 102);
    write('b', 'chk-10', 101);
    expect((await newestCheckpoint(folder))?.path).to.equal(newest);
  });

  it('give the later of two with one number, which only jobs have that went on from nothing', async () => {
    write('a', 'chk-1', 100);
    const later = write('b', 'chk-1', 101);
    expect((await newestCheckpoint(folder))?.path).to.equal(later);
  });

  it('are none before they are written to their end, and nothing else is one', async () => {
    const whole = write('a', 'chk-1', 100);
    write('a', 'chk-2');
    write('a', 'shared', 200);
    expect((await newestCheckpoint(folder))?.path).to.equal(whole);
  });

  it('are none where no job has run', async () => {
    expect(await newestCheckpoint(folder)).to.equal(undefined);
    expect(await newestCheckpoint(join(folder, 'missing'))).to.equal(undefined);
  });

  it('go but for those of the job that is gone on from', async () => {
    write('a', 'chk-2', 100);
    const newest = write('b', 'chk-9', 102);
    const kept = await newestCheckpoint(folder);
    if (kept === undefined) return expect.fail('there is a newest');
    await removeOtherCheckpoints(folder, kept);
    expect(existsSync(newest)).to.equal(true);
    expect(existsSync(join(folder, 'a'))).to.equal(false);
  });
});
