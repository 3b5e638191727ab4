import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDockerfile, readDockerignore, readPrograms, ROOT, type Instruction } from './dockerfile.ts';
import { reachableFrom } from './reachable.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};
const [before = [], packages = [], image = []] = readDockerfile();
const programs = readPrograms();
/** `npm start` is no program of the cloud, but what the image can be tried with. */
const LOCAL = 'infra/local/start/main.ts';

const valueOf = (stage: readonly Instruction[], name: string): string | undefined =>
  stage.findLast((instruction) => instruction.name === name)?.value;
const indexOf = (stage: readonly Instruction[], name: string): number =>
  stage.findLastIndex((instruction) => instruction.name === name);

describe('the image', () => {
  it('is built and runs on the Node that everything is tested on', () => {
    expect(valueOf(before, 'ARG')).to.equal(`NODE_IMAGE=node:${manifest.dependencies['node']}-bookworm-slim`);
    expect(
      [...packages, ...image].filter(({ name }) => name === 'FROM').map(({ value }) => value),
    ).to.deep.equal(['${NODE_IMAGE} AS packages', '${NODE_IMAGE}']);
  });

  it('has no package for development, and runs no script of a package while it is built', () => {
    const install = packages.find(({ value }) => value.startsWith('npm ci'))?.value;
    expect(install).to.include('--omit=dev').and.include('--ignore-scripts');
    expect(image.filter(({ value }) => value.startsWith('npm'))).to.deep.equal([]);
  });

  it('runs as a user who can change nothing in it', () => {
    expect(valueOf(image, 'USER')).to.match(/^[1-9]\d*:[1-9]\d*$/);
    expect(image.slice(indexOf(image, 'USER')).map(({ name }) => name)).to.not.include.members([
      'RUN',
      'COPY',
    ]);
    expect(image.filter(({ name }) => name === 'COPY').map(({ value }) => value)).to.deep.equal([
      '--from=packages /app/node_modules ./node_modules',
      '. .',
    ]);
  });

  it('gives signals to Node itself, and says whether it lives', () => {
    expect(valueOf(image, 'ENTRYPOINT')).to.equal('["node"]');
    expect(valueOf(image, 'CMD')).to.equal(`["${programs['api']}"]`);
    expect(valueOf(image, 'HEALTHCHECK')).to.include('/healthz');
  });

  it('is started with programs that are there, the same as npm starts', () => {
    expect(Object.keys(programs)).to.include.members([
      'api',
      'worker',
      'migrate',
      'invoices',
      'reconcile',
      'backfill',
    ]);
    expect(Object.values(programs).filter((program) => !existsSync(join(ROOT, program)))).to.deep.equal([]);
    const started = Object.values(manifest.scripts).join('\n');
    const { api: _, ...others } = programs;
    expect(Object.values(others).filter((program) => !started.includes(` ${program}`))).to.deep.equal([]);
  });

  it('has every file that a program loads, and lists every package that it loads as needed at run time', () => {
    const sent = readDockerignore();
    const { files, packages: loaded } = reachableFrom([...Object.values(programs), LOCAL]);
    expect(files.size).to.be.greaterThan(100);
    expect([...files].filter((file) => !sent(file) || !existsSync(join(ROOT, file)))).to.deep.equal([]);
    expect([...loaded].filter((name) => !(name in manifest.dependencies))).to.deep.equal([]);
  });

  it('has no test, note, key or state in it', () => {
    const sent = readDockerignore();
    const kept = [
      'test/a.ts',
      'terraform/main.tf',
      'docs/a.md',
      '.git/config',
      '.millrace/db',
      '.env',
      'api/README.md',
    ];
    expect(kept.filter((file) => sent(file))).to.deep.equal([]);
    expect(['package.json', 'api/main.ts', 'domain/money/a.ts'].filter((file) => !sent(file))).to.deep.equal(
      [],
    );
  });
});
