import { expect } from 'chai';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { registeredModules } from '#pipelines/beam/registration.ts';
import '#pipelines/portable/graph.ts';
import { readDockerfile, readDockerignore, readPrograms, ROOT, type Instruction } from './dockerfile.ts';
import { reachableFrom } from './reachable.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};
const [before = [], packages = [], program = [], worker = [], image = []] = readDockerfile();
const programs = readPrograms();
/** `npm start` is no program of the cloud, but what the image can be tried with. */
const LOCAL = 'infra/local/start/main.ts';

const PORTABLE_MODULES = registeredModules().filter((name) => name.startsWith('millrace/pipelines/'));
/** What a worker of a runner loads: itself, and by their names the modules of its pipelines. */
const workerModules = (): string[] => [
  'pipelines/beam/worker.ts',
  ...PORTABLE_MODULES.map((name) => `${name.replace(/^millrace\//, '')}.ts`),
];

const valueOf = (stage: readonly Instruction[], name: string): string | undefined =>
  stage.findLast((instruction) => instruction.name === name)?.value;
const indexOf = (stage: readonly Instruction[], name: string): number =>
  stage.findLastIndex((instruction) => instruction.name === name);

describe('the image', () => {
  it('is built and runs on the Node that everything is tested on', () => {
    expect(valueOf(before, 'ARG')).to.equal(`NODE_IMAGE=node:${manifest.dependencies['node']}-bookworm-slim`);
    expect(
      readDockerfile()
        .flat()
        .filter(({ name }) => name === 'FROM')
        .map(({ value }) => value),
    ).to.deep.equal([
      '${NODE_IMAGE} AS packages',
      '${NODE_IMAGE} AS program',
      'program AS beam-worker',
      // The last one is what is built unless another is named.
      'program',
    ]);
  });

  it('has no package for development, and runs no script of a package while it is built', () => {
    const install = packages.find(({ value }) => value.startsWith('npm ci'))?.value;
    expect(install).to.include('--omit=dev').and.include('--ignore-scripts');
    const others = [...program, ...worker, ...image];
    expect(others.filter(({ value }) => value.startsWith('npm'))).to.deep.equal([]);
  });

  for (const [what, stage] of Object.entries({ 'the image': image, 'the image of workers': worker }))
    it(`runs as a user who can change nothing in it: ${what}`, () => {
      expect(valueOf(stage, 'USER')).to.match(/^[1-9]\d*:[1-9]\d*$/);
      expect(stage.slice(indexOf(stage, 'USER')).map(({ name }) => name)).to.not.include.members([
        'RUN',
        'COPY',
      ]);
      const copied = [...program, ...stage].filter(({ name }) => name === 'COPY').map(({ value }) => value);
      expect(copied).to.deep.equal(['--from=packages /app/node_modules ./node_modules', '. .']);
    });

  it('has the worker where runners look for it, as the process that gets their arguments and signals', () => {
    const [boot = ''] = JSON.parse(valueOf(worker, 'ENTRYPOINT') ?? '[]') as string[];
    expect(boot).to.equal('/opt/apache/beam/boot');
    const [, target = ''] = new RegExp(`ln -s /app/(\\S+) ${boot}$`).exec(valueOf(worker, 'RUN') ?? '') ?? [];
    expect(statSync(join(ROOT, target)).mode & 0o111).to.equal(0o111);
    expect(readFileSync(join(ROOT, target), 'utf8').trimEnd().split('\n').at(-1)).to.match(
      /^exec .*worker\.ts" "\$@"$/,
    );
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
    const { files, packages: loaded } = reachableFrom([
      ...Object.values(programs),
      ...workerModules(),
      LOCAL,
    ]);
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
