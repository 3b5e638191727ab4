import { expect } from 'chai';
import { judgeImport } from '../../scripts/import-directions.ts';

const judge = (file: string, specifier: string, names?: readonly string[]): string | undefined =>
  judgeImport({ file, specifier, names });

describe('import directions', () => {
  it('lets each folder import itself and what lies below it', () => {
    expect(judge('domain/metering/a.ts', '#domain/instant.ts')).to.equal(undefined);
    expect(judge('infra/usage/a.ts', '#domain/instant.ts')).to.equal(undefined);
    expect(judge('pipelines/usage/a.ts', '#infra/usage/commit.ts')).to.equal(undefined);
    expect(judge('api/usage/a.ts', '#infra/usage/read-usage.ts')).to.equal(undefined);
  });

  it('refuses every import against the direction, however it is written', () => {
    for (const [file, specifier] of [
      ['domain/metering/a.ts', '#infra/usage/commit.ts'],
      ['domain/metering/a.ts', '../../infra/usage/commit.ts'],
      ['domain/a.ts', './../pipelines/usage/graph.ts'],
      ['infra/usage/a.ts', '#pipelines/usage/graph.ts'],
      ['infra/usage/a.ts', '../../api/main.ts'],
      ['pipelines/usage/a.ts', '#api/main.ts'],
      ['api/main.ts', '#pipelines/usage/graph.ts'],
      ['pipelines/usage/a.ts', '#test/support/simulation.ts'],
      ['infra/usage/a.ts', '../../scripts/import-directions.ts'],
    ] as const) {
      expect(judge(file, specifier), `${file} -> ${specifier}`).to.match(/may import/);
    }
  });

  it('asks for the # form where a relative path leaves its top folder in the right direction', () => {
    expect(judge('infra/usage/a.ts', '../../domain/instant.ts')).to.match(/#domain/);
    expect(judge('infra/usage/a.ts', '../catalogue/tables.ts')).to.equal(undefined);
    expect(judge('domain/metering/a.ts', '../instant.ts')).to.equal(undefined);
  });

  it('lets the core import its pure packages and of node:crypto only hash', () => {
    for (const name of ['decimal.js', 'temporal-polyfill', '@marcbachmann/cel-js']) {
      expect(judge('domain/a.ts', name, ['Any'])).to.equal(undefined);
    }
    expect(judge('domain/a.ts', 'node:crypto', ['hash'])).to.equal(undefined);
    expect(judge('domain/a.ts', 'node:crypto', ['hash', 'randomUUID'])).to.match(/only hash/);
    expect(judge('domain/a.ts', 'node:crypto')).to.match(/only hash/);
    expect(judge('domain/a.ts', 'node:fs', ['readFile'])).to.match(/pure/);
    expect(judge('domain/a.ts', 'pino', ['pino'])).to.match(/pure/);
    expect(judge('infra/a.ts', 'node:fs', ['readFile'])).to.equal(undefined);
  });

  it('lets tests, benchmarks and scripts import anything', () => {
    expect(judge('test/scenario/a.test.ts', '#pipelines/usage/graph.ts')).to.equal(undefined);
    expect(judge('test/scripts/a.test.ts', '../../scripts/import-directions.ts')).to.equal(undefined);
    expect(judge('bench/main.ts', '#infra/usage/commit.ts')).to.equal(undefined);
    expect(judge('eslint.config.js', './scripts/import-directions.ts')).to.equal(undefined);
  });
});
