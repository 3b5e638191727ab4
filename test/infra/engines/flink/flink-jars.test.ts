import { expect } from 'chai';
import { createHash } from 'node:crypto';
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
import { join } from 'node:path';
import { EngineUnavailable } from '#infra/engines/engine.ts';
import { flinkJars, type FlinkJarsSettings } from '#infra/engines/flink/flink-jars.ts';
import { parseChecksums } from '#infra/engines/flink/jar-checksums.ts';
import { reasonWhy } from '#test/support/reason-why.ts';

const SOURCE = join(import.meta.dirname, '../../../../infra/engines/flink');

/** In the place of Maven: notes each call, and copies what lies in its folder. */
const MAVEN = `#!/bin/sh
for argument in "$@"; do case "$argument" in -DoutputDirectory=*) to="\${argument#*=}";; esac; done
echo "$@" >> "$FOLDER/fetches"
if [ -e "$FOLDER/offline" ]; then echo "no route to the repository"; exit 1; fi
mkdir -p "$to"
cp "$FOLDER"/jars/* "$to"
`;
const JAVAC = `#!/bin/sh
while [ "$1" != -d ]; do shift; done
if [ -e "$FOLDER/broken" ]; then echo "';' expected"; exit 1; fi
echo compiled > "$2/Patched.class"
`;
const JAVA = `#!/bin/sh
cat "$FOLDER/version" >&2
`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('the jars of Flink', () => {
  let folder: string;
  let settings: FlinkJarsSettings;
  const inFolder = (name: string): string => join(folder, name);
  const fetches = (): number =>
    existsSync(inFolder('fetches')) ? readFileSync(inFolder('fetches'), 'utf8').trim().split('\n').length : 0;
  const program = (name: string, text: string): void => {
    writeFileSync(inFolder(`bin/${name}`), text);
    chmodSync(inFolder(`bin/${name}`), 0o755);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-jars-'));
    for (const name of ['bin', 'jars', 'source', 'source/patch']) mkdirSync(inFolder(name));
    program('mvn', MAVEN);
    program('javac', JAVAC);
    program('java', JAVA);
    writeFileSync(inFolder('version'), 'openjdk version "17.0.15" 2025-04-15\n');
    for (const name of ['a-1.jar', 'b-2.jar']) writeFileSync(inFolder(`jars/${name}`), name);
    writeFileSync(inFolder('source/pom.xml'), '<project/>');
    writeFileSync(inFolder('source/patch/Patched.java'), 'class Patched {}');
    const sums = ['a-1.jar', 'b-2.jar'].map((name) => `${sha256(name)}  ${name}\n`).join('');
    writeFileSync(inFolder('source/jars.sha256'), sums);
    settings = {
      environment: {
        FOLDER: folder,
        PATH: `${inFolder('bin')}:/usr/bin:/bin`,
        MILLRACE_CACHE_DIR: inFolder('cache'),
      },
      say: () => undefined,
      source: inFolder('source'),
    };
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const refusal = (): Promise<string> => reasonWhy(flinkJars(settings), EngineUnavailable);

  it('are fetched once, and our classes are before them', async () => {
    const first = await flinkJars(settings);
    expect(first.fetched).to.equal(true);
    expect(readFileSync(join(first.folder, 'classes/Patched.class'), 'utf8')).to.equal('compiled\n');
    expect(first.classPath).to.equal(`${join(first.folder, 'classes')}:${join(first.folder, 'jars/*')}`);
    expect(await flinkJars(settings)).to.deep.equal({ ...first, fetched: false });
    expect(fetches()).to.equal(1);
  });

  it('are others where the pom, the sums or the patch are others', async () => {
    const folders = [(await flinkJars(settings)).folder];
    for (const file of ['pom.xml', 'patch/Patched.java']) {
      writeFileSync(inFolder(`source/${file}`), 'changed');
      folders.push((await flinkJars(settings)).folder);
    }
    expect(new Set(folders)).to.have.property('size', 3);
  });

  it('are fetched by one of two that want them at once', async () => {
    const [first, second] = await Promise.all([flinkJars(settings), flinkJars(settings)]);
    expect(first.folder).to.equal(second.folder);
    expect(fetches()).to.equal(1);
  });

  it('are not taken with other bytes than those that are pinned, nor one too many, and nothing stays of them', async () => {
    writeFileSync(inFolder('jars/a-1.jar'), 'hostile');
    writeFileSync(inFolder('jars/c-3.jar'), 'stranger');
    expect(await refusal()).to.match(/a-1\.jar has other bytes, c-3\.jar does not belong there/);
    const [entry = ''] = readdirSync(inFolder('cache'));
    expect(readdirSync(join(inFolder('cache'), entry))).to.deep.equal(['build.lock']);
  });

  it('are compared again whenever they are used', async () => {
    const { folder: ready } = await flinkJars(settings);
    rmSync(join(ready, 'jars/b-2.jar'));
    expect(await refusal()).to.match(/b-2\.jar is missing.*when .*ready is removed/);
  });

  it('cannot be had without Java, an old one, a compiler, Maven or a network, and the reason is told', async () => {
    writeFileSync(inFolder('offline'), '');
    expect(await refusal()).to.equal('Maven cannot fetch it: no route to the repository');
    rmSync(inFolder('offline'));
    writeFileSync(inFolder('broken'), '');
    expect(await refusal()).to.equal(`its patch is no Java: ';' expected`);
    writeFileSync(inFolder('version'), 'java version "1.8.0_412"\n');
    expect(await refusal()).to.match(/^it needs Java 11 or later, .* is Java 8$/);
    settings = { ...settings, environment: { ...settings.environment, PATH: inFolder('source') } };
    expect(await refusal()).to.equal('it needs a JDK 11 or later, and there is no java');
  });

  it('are pinned by sums that are kept with the source', () => {
    const sums = parseChecksums(readFileSync(join(SOURCE, 'jars.sha256'), 'utf8'));
    expect([...sums.keys()]).to.include.members([
      'beam-runners-flink-1.15-2.49.0.jar',
      'flink-runtime-1.15.0.jar',
    ]);
  });

  it('have a patch that keeps the notice of those who wrote it', () => {
    for (const file of readdirSync(join(SOURCE, 'patch'))) {
      const text = readFileSync(join(SOURCE, 'patch', file), 'utf8');
      expect(text, file).to.include('Licensed to the Apache Software Foundation');
      expect(text, file).to.include('Changed from the file of the same name in Apache Beam 2.49.0');
    }
  });
});
