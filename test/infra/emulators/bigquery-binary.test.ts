import { expect } from 'chai';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bigqueryBinary, type BuildSettings } from '#infra/emulators/bigquery-binary.ts';
import { cacheFolder } from '#infra/emulators/cache-folder.ts';
import { EmulatorUnavailable } from '#infra/emulators/emulator.ts';
import { eventually } from '#test/support/eventually.ts';
import { reasonWhy } from '#test/support/reason-why.ts';

/** In the place of Go: notes each build, waits for the gate, writes the binary. */
const GO = `#!/bin/sh
if [ "$1" = env ]; then cat "$FOLDER/version"; exit 0; fi
while [ "$1" != -o ]; do shift; done
echo half > "$2"
echo $$ >> "$FOLDER/builds"
while [ ! -e "$FOLDER/gate" ]; do sleep 0.02; done
if [ -e "$FOLDER/broken" ]; then echo "no such module"; exit 1; fi
echo whole > "$2"
chmod +x "$2"
`;

describe('the binary of the BigQuery emulator', () => {
  let folder: string;
  let settings: BuildSettings;
  const said: string[] = [];
  const inFolder = (name: string): string => join(folder, name);
  const builds = (): string[] =>
    existsSync(inFolder('builds')) ? readFileSync(inFolder('builds'), 'utf8').trim().split('\n') : [];
  /** Whole or half. */
  const cached = (): string[] =>
    readdirSync(inFolder('cache'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.startsWith('bigquery-emulator'))
      .map(({ name }) => name);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-binary-'));
    said.length = 0;
    for (const name of ['bin', 'module']) mkdirSync(inFolder(name));
    writeFileSync(inFolder('bin/go'), GO);
    chmodSync(inFolder('bin/go'), 0o755);
    writeFileSync(inFolder('version'), 'go1.26.8\n');
    writeFileSync(inFolder('gate'), '');
    for (const file of ['go.mod', 'go.sum', 'tools.go']) writeFileSync(inFolder(`module/${file}`), file);
    settings = {
      environment: {
        FOLDER: folder,
        PATH: `${inFolder('bin')}:${process.env['PATH'] ?? ''}`,
        MILLRACE_CACHE_DIR: inFolder('cache'),
      },
      say: (line) => void said.push(line),
      module: inFolder('module'),
      availableMemory: 64e9,
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const refusal = (changed: Partial<BuildSettings> = {}): Promise<string> =>
    reasonWhy(bigqueryBinary({ ...settings, ...changed }), EmulatorUnavailable);

  it('is built once, and found from then on', async () => {
    const first = await bigqueryBinary(settings);
    expect(first.built).to.equal(true);
    expect(readFileSync(first.path, 'utf8')).to.equal('whole\n');
    expect(await bigqueryBinary(settings)).to.deep.equal({ path: first.path, built: false });
    expect(builds()).to.have.length(1);
  });

  it('is another where the sums, or the version of Go, are others', async () => {
    const { path } = await bigqueryBinary(settings);
    writeFileSync(inFolder('module/go.sum'), 'other sums');
    const { path: byOtherSums } = await bigqueryBinary(settings);
    writeFileSync(inFolder('version'), 'go1.27.0\n');
    const { path: byOtherGo } = await bigqueryBinary(settings);
    expect(new Set([path, byOtherSums, byOtherGo])).to.have.property('size', 3);
  });

  it('is built by one of two that want it at once, and the other waits', async () => {
    rmSync(inFolder('gate'));
    const first = bigqueryBinary(settings);
    await eventually('the build has begun', () => builds().length > 0);
    const second = bigqueryBinary(settings);
    await eventually('the other waits', () => said.some((line) => line.includes('waiting for it')));
    writeFileSync(inFolder('gate'), '');
    expect(await first).to.deep.equal({ path: (await second).path, built: true });
    expect((await second).built).to.equal(false);
    expect(builds()).to.have.length(1);
  });

  it('is never half of one: a build that fails leaves nothing, says why, and may be tried again', async () => {
    writeFileSync(inFolder('broken'), '');
    expect(await refusal()).to.equal('the build failed: no such module');
    expect(cached()).to.deep.equal([]);
    rmSync(inFolder('broken'));
    expect((await bigqueryBinary(settings)).built).to.equal(true);
  });

  it('is given up when the time is up, and what was building it has ended', async () => {
    rmSync(inFolder('gate'));
    expect(await refusal({ limitMs: 500 })).to.equal('it was not built when the time was up');
    const [builder] = builds();
    await eventually('the builder is gone', () => !isAlive(Number(builder)));
    expect(cached()).to.deep.equal([]);
  });

  it('is not built where the compiler would take more memory than there is', async () => {
    expect(await refusal({ availableMemory: 4e9 })).to.equal(
      'building it takes 7.0 GB of memory, 4.0 GB are free',
    );
    expect(builds()).to.deep.equal([]);
  });

  it('is taken from the cache where there is no Go any more, and else is not to be had', async () => {
    const withoutGo = { ...settings, environment: { ...settings.environment, PATH: inFolder('module') } };
    expect(await refusal(withoutGo)).to.equal('it is built by Go, and there is no go');
    const { path } = await bigqueryBinary(settings);
    expect(await bigqueryBinary(withoutGo)).to.deep.equal({ path, built: false });
  });

  it('lies in the folder that the environment names, outside the checkout', () => {
    expect(cacheFolder({ HOME: '/h' })).to.equal('/h/.cache/millrace');
    expect(cacheFolder({ HOME: '/h', XDG_CACHE_HOME: '/x' })).to.equal('/x/millrace');
    expect(cacheFolder({ HOME: '/h', XDG_CACHE_HOME: '/x', MILLRACE_CACHE_DIR: '/m' })).to.equal('/m');
  });

  it('is pinned by sums that are kept with the source', () => {
    const module = join(dirname(import.meta.dirname), '../../infra/emulators/bigquery');
    expect(readFileSync(join(module, 'go.mod'), 'utf8')).to.include(
      'require github.com/goccy/bigquery-emulator v',
    );
    expect(readFileSync(join(module, 'go.sum'), 'utf8')).to.include('github.com/goccy/bigquery-emulator v');
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
