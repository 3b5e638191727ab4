import { expect } from 'chai';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inCloudSdk, onPath, pubsubEmulatorIn, spannerEmulatorIn } from '#infra/emulators/cloud-sdk.ts';

describe('the Cloud SDK', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-sdk-')));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function program(path: string, text = '#!/bin/sh\n'): string {
    const whole = join(folder, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
    chmodSync(whole, 0o755);
    return whole;
  }
  /** Of this test only: the machine may have a real one. */
  const ours = (root: string): string | undefined =>
    root.startsWith(folder) ? spannerEmulatorIn(root) : undefined;

  it('is found by where gcloud on the search path really is', async () => {
    const emulator = program('sdk/bin/cloud_spanner_emulator/emulator_main');
    mkdirSync(join(folder, 'links'));
    symlinkSync(program('sdk/bin/gcloud'), join(folder, 'links/gcloud'));
    expect(await inCloudSdk({ PATH: join(folder, 'links') }, ours)).to.deep.equal({
      root: join(folder, 'sdk'),
      part: emulator,
    });
  });

  it('is found in the home folder', async () => {
    const emulator = program('google-cloud-sdk/bin/cloud_spanner_emulator/emulator_main');
    expect((await inCloudSdk({ HOME: folder }, ours))?.part).to.equal(emulator);
  });

  it('is found where gcloud says it is', async () => {
    const emulator = program('elsewhere/bin/cloud_spanner_emulator/emulator_main');
    program('wrapped/bin/gcloud', `#!/bin/sh\necho '${join(folder, 'elsewhere')}'\n`);
    const environment = { PATH: `${join(folder, 'wrapped/bin')}:${process.env['PATH'] ?? ''}` };
    expect((await inCloudSdk(environment, ours))?.part).to.equal(emulator);
  });

  it('is not found where there is none, nor where gcloud fails', async () => {
    expect(await inCloudSdk({}, ours)).to.equal(undefined);
    program('broken/bin/gcloud', '#!/bin/sh\nexit 1\n');
    expect(await inCloudSdk({ PATH: join(folder, 'broken/bin') }, ours)).to.equal(undefined);
  });

  it('has an emulator only where its file is, and can be run', () => {
    expect(spannerEmulatorIn(folder)).to.equal(undefined);
    chmodSync(program('bin/cloud_spanner_emulator/emulator_main'), 0o644);
    // A superuser may do what the mode forbids, except to run what nobody may.
    expect(spannerEmulatorIn(folder)).to.equal(undefined);
    expect(pubsubEmulatorIn(folder)).to.equal(undefined);
    const jar = program('platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar');
    expect(pubsubEmulatorIn(folder)).to.equal(jar);
  });

  it('leaves out empty parts of the search path, which would mean the current folder', () => {
    const found = program('bin/some-program');
    expect(onPath('some-program', { PATH: `::${join(folder, 'bin')}` })).to.equal(found);
    expect(onPath('package.json', { PATH: ':' })).to.equal(undefined);
    expect(onPath('some-program', {})).to.equal(undefined);
  });
});
