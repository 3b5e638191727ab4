import { expect } from 'chai';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply, buildGraph } from '#pipelines/beam/graph.ts';
import type { BuildGraph } from '#pipelines/beam/graph.ts';
import { moduleUrl, UnknownModule } from '#pipelines/beam/module-names.ts';
import { assertPortable, NotPortable } from '#pipelines/beam/portability.ts';
import { moduleName, register, registeredModules } from '#pipelines/beam/registration.ts';
import { beam, serialize } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import { groupingWindow } from '#pipelines/beam/triggers.ts';
import { identity, isOdd, Repeat, Sink, WithMap, WithPrivate } from './stages.ts';

class Unregistered implements SyncDoFn<number, number> {
  process(value: number, emit: Emit<number>): void {
    emit(value);
  }
}
const check = (build: BuildGraph<number>) => () => assertPortable(buildGraph(build).proto);

describe('a portable pipeline', () => {
  it('has registered functions and classes, and transforms of the SDK', () => {
    const build: BuildGraph<number> = (source) => {
      const repeated = apply('repeat', source.map(identity<number>).flatMap(isOdd), syncParDo(new Repeat(2)));
      const windowed = apply('window', repeated, groupingWindow({ elements: 500, delayMs: 1000 }));
      apply('sink', windowed, asyncParDo(new Sink<number>(), { context: { calls: beam.counter('calls') } }));
    };
    expect(check(build)).not.to.throw();
  });

  it('carries names and not sources', () => {
    const text = new TextDecoder().decode(serialize.serializeFn({ doFn: new Repeat(2) }));
    expect(text)
      .to.contain('beam:millrace/test/pipelines/beam/stages.Repeat.prototype')
      .and.not.to.contain('emit(');
    expect(serialize.deserializeFn(new TextEncoder().encode(text))).to.deep.equal({ doFn: new Repeat(2) });
  });

  it('is not one with a function by source, though it captures nothing', () => {
    expect(check((source) => void source.map((value: number) => value + 1))).to.throw(
      NotPortable,
      /map.*by source: \(value/,
    );
  });

  it('is not one with a class that is not registered', () => {
    expect(check((source) => void apply('step', source, syncParDo(new Unregistered())))).to.throw(
      /Cannot serialize classes/,
    );
  });

  it('is not one with fields that arrive empty or private', () => {
    expect(check((source) => void apply('step', source, syncParDo(new WithMap())))).to.throw(
      NotPortable,
      'is a Map',
    );
    expect(check((source) => void apply('step', source, syncParDo(new WithPrivate())))).to.throw(
      NotPortable,
      '#private',
    );
  });

  it('takes no side inputs in our ParDos', () => {
    const build: BuildGraph<number> = (source) => {
      const context = { all: beam.iterableSideInput(source) };
      apply('step', source, asyncParDo(new Sink<number>(), { context } as never));
    };
    expect(check(build)).to.throw(TypeError, 'no side inputs');
  });
});

describe('module names', () => {
  it('lead from a file to its name and back, outside node_modules', () => {
    const url = new URL('./stages.ts', import.meta.url).href;
    const name = moduleName(url);
    expect(name).to.equal('millrace/test/pipelines/beam/stages');
    expect(moduleUrl(name)).to.equal(url);
    expect(registeredModules()).to.include(name);
  });

  it('of the SDK are left to package resolution', () => {
    expect(moduleUrl('apache-beam/transforms/pardo')).to.equal('apache-beam/transforms/pardo');
  });

  for (const name of [
    'millrace/../secrets',
    'millrace',
    'millrace/a/../../b',
    '/etc/passwd',
    'lodash',
    'millrace/no/such/file',
    'millrace//a',
  ]) {
    it(`refuse ${name}`, () => {
      expect(() => moduleUrl(name)).to.throw(UnknownModule, name);
    });
  }

  it('are given once, and only to files of the repository', () => {
    expect(() => register('millrace/test/pipelines/beam/stages', {})).to.throw('registered already');
    expect(() => register('stages', {})).to.throw(UnknownModule);
    expect(() => moduleName('file:///elsewhere/stages.ts')).to.throw(UnknownModule);
  });
});
