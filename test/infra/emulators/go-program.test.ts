import { expect } from 'chai';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmulatorUnavailable } from '#infra/emulators/emulator.ts';
import { goBinary, type GoBinary, type GoProgram } from '#infra/emulators/go-program.ts';

/** In the place of Go: knows where the published sources lie, and builds what it finds beside the module that it was started in. */
const GO = `#!/bin/sh
if [ "$1" = env ]; then echo go1.26.8; exit 0; fi
if [ "$1" = mod ]; then printf '{"Path": "%s", "Dir": "%s"}' "$4" "$FOLDER/published"; exit 0; fi
while [ "$1" != -o ]; do shift; done
cat go.mod changed/part/server.go changed/part/other.go > "$2"
chmod +x "$2"
`;

describe('a program that is built with one line changed', () => {
  let folder: string;
  let program: GoProgram;
  const inFolder = (name: string): string => join(folder, name);
  const publish = (server: string): void => {
    rmSync(inFolder('published'), { recursive: true, force: true });
    mkdirSync(inFolder('published/part'), { recursive: true });
    mkdirSync(inFolder('published/unwanted'));
    writeFileSync(inFolder('published/go.mod'), 'module example.com/engine\n');
    writeFileSync(inFolder('published/part/server.go'), server);
    writeFileSync(inFolder('published/part/other.go'), 'other\n');
    // As in Go's module cache, where nothing may be written.
    for (const name of ['part/server.go', 'part/other.go']) chmodSync(inFolder(`published/${name}`), 0o444);
  };
  const build = (): Promise<GoBinary> =>
    goBinary(program, {
      environment: {
        FOLDER: folder,
        PATH: `${inFolder('bin')}:${process.env['PATH'] ?? ''}`,
        MILLRACE_CACHE_DIR: inFolder('cache'),
      },
      say: () => undefined,
      availableMemory: 64e9,
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-go-'));
    for (const name of ['bin', 'module']) mkdirSync(inFolder(name));
    writeFileSync(inFolder('bin/go'), GO);
    chmodSync(inFolder('bin/go'), 0o755);
    for (const file of ['go.mod', 'go.sum', 'tools.go'])
      writeFileSync(inFolder(`module/${file}`), `${file}\n`);
    program = {
      name: 'engine',
      binary: 'engine',
      module: inFolder('module'),
      package: 'example.com/engine/cmd',
      memoryMin: 1,
      parallelMemoryMin: 1,
      duration: 'a while',
      change: {
        module: 'example.com/engine',
        parts: ['part'],
        file: 'part/server.go',
        from: 'listen(":0")',
        to: 'listen("127.0.0.1:0")',
      },
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is built from the published sources with that line, and nothing else is touched', async () => {
    publish('before\nlisten(":0")\nafter\n');
    const { path, built } = await build();
    expect(built).to.equal(true);
    expect(readFileSync(path, 'utf8')).to.equal(
      'go.mod\n\nreplace example.com/engine => ./changed\nbefore\nlisten("127.0.0.1:0")\nafter\nother\n',
    );
    expect(readFileSync(inFolder('published/part/server.go'), 'utf8')).to.include('listen(":0")');
    expect(readFileSync(inFolder('module/go.mod'), 'utf8')).to.equal('go.mod\n');
  });

  it('is found from then on, and its sources are not kept', async () => {
    publish('listen(":0")');
    const { path } = await build();
    expect(await build()).to.deep.equal({ path, built: false });
    const kept = readdirSync(inFolder('cache'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.go'))
      .map(({ name }) => name);
    expect(kept).to.deep.equal([]);
  });

  it('is another program when the change is another', async () => {
    publish('listen(":0")');
    const { path } = await build();
    program = { ...program, change: { ...program.change!, to: 'listen("[::1]:0")' } };
    const other = await build();
    expect(other.built).to.equal(true);
    expect(other.path).not.to.equal(path);
  });

  it('is refused, and not built as it is, when the line is not there, or is there twice', async () => {
    for (const server of ['listen(":1")', 'listen(":0")\nlisten(":0")']) {
      publish(server);
      const error = await build().catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(EmulatorUnavailable);
      expect((error as Error).message).to.equal(
        'the line to change is not in part/server.go of this version',
      );
    }
  });
});

describe('the Go module of Prism', () => {
  it('is pinned by sums that are kept with the source', () => {
    const module = join(import.meta.dirname, '../../../infra/engines/prism/module');
    expect(readFileSync(join(module, 'go.mod'), 'utf8')).to.match(
      /^require github\.com\/apache\/beam\/sdks\/v2 v2\.77\.0$/m,
    );
    expect(readFileSync(join(module, 'go.sum'), 'utf8')).to.include(
      'github.com/apache/beam/sdks/v2 v2.77.0 h1:',
    );
  });
});
