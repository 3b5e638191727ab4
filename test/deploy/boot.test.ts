import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectBoots, linkBoot } from './boot.ts';
import { ROOT } from './dockerfile.ts';
import { copySentFiles } from './sent-files.ts';

describe('the image of workers', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-'));
    await copySentFiles(join(folder, 'app'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'app/node_modules'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('has all that a worker needs, started as a container of Dataflow is', async () => {
    await expectBoots(await linkBoot(join(folder, 'app')));
  });
});
