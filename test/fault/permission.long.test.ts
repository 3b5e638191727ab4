import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { localPaths } from '#infra/local/open-local.ts';
import { inLocalDirectory } from '#test/support/local-stores.ts';
import { startLoad } from './load.ts';
import { withSeed } from './seeds.ts';

const EVENTS = 1_200;
const NOBODY = 65_534;

/** Permissions do not bind the superuser, so a test that runs as one acts as somebody else, and so do the processes it starts. */
async function unprivileged(act: () => Promise<void>): Promise<void> {
  const superuser = process.geteuid?.() === 0;
  if (superuser) process.seteuid?.(NOBODY);
  try {
    await act();
  } finally {
    if (superuser) process.seteuid?.(0);
  }
}

describe('a refused permission', () => {
  it('to write the warehouse leaves the commits going, and everything is appended once it is given back', () =>
    unprivileged(() =>
      inLocalDirectory((directory, cleanup) =>
        withSeed(async (draw) => {
          const load = await startLoad(directory, cleanup, { draw, options: { events: EVENTS } });
          await load.publish('before');
          await load.committed('before');
          const { warehouse } = localPaths(directory);
          await chmod(warehouse, 0o555);
          await load.publish('during');
          await load.committed('during');
          await load
            .pipeline()
            .until('has failed to append', (counters) => counters.append_failures_total >= 1);
          expect(load.pipeline().errorText()).to.contain('EACCES');
          await chmod(warehouse, 0o755);
          await load.publish('after');
          await load.finish();
        }),
      ),
    ));

  it('to write the database ends a pipeline that starts, with a clear error; the next one goes on where the last stopped', () =>
    unprivileged(() =>
      inLocalDirectory((directory, cleanup) =>
        withSeed(async (draw) => {
          const load = await startLoad(directory, cleanup, { draw, options: { events: EVENTS } });
          await load.publish('before');
          await load.pipeline().kill();
          const database = localPaths(directory).database;
          await load.publish('during');
          await setMode(database, 0o444, 0o555);
          const refused = load.start();
          const { code } = await refused.exited;
          expect(code).to.be.above(0);
          expect(refused.errorText()).to.match(/may not be written; check the permissions/);
          await setMode(database, 0o644, 0o755);
          load.start();
          await load.publish('after');
          await load.finish();
        }),
      ),
    ));
});

async function setMode(file: string, mode: number, directoryMode: number): Promise<void> {
  if (directoryMode & 0o200) await chmod(dirname(file), directoryMode);
  for (const path of [file, `${file}-wal`, `${file}-shm`]) await chmod(path, mode);
  await chmod(dirname(file), directoryMode);
}
