import { expect } from 'chai';
import { BadWorkerArguments, modulesOf, parseWorkerArguments } from '#pipelines/beam/worker-settings.ts';

describe('the worker’s arguments', () => {
  it('are read as a runner gives them: quoted, and with arguments of its own', () => {
    const args = [
      `--id='7'`,
      '--control_endpoint=localhost:1',
      '--logging_endpoint=localhost:2',
      '--semi_persist_dir=/tmp',
      '--options={}',
    ];
    expect(parseWorkerArguments(args)).to.deep.equal({
      id: '7',
      controlEndpoint: 'localhost:1',
      loggingEndpoint: 'localhost:2',
      modules: [],
    });
    expect(parseWorkerArguments(['--id=7', '--provision_endpoint=localhost:3'])).to.deep.equal({
      id: '7',
      provisionEndpoint: 'localhost:3',
      modules: [],
    });
  });

  it('name the modules under a plain key or a urn, also one level deeper', () => {
    const modules = ['millrace/a'];
    const urn = { 'beam:option:registered_node_modules:v1': modules };
    for (const options of [urn, { registered_node_modules: modules }, { options: urn }]) {
      expect(modulesOf(options)).to.deep.equal(modules);
    }
    expect(modulesOf(null)).to.deep.equal([]);
  });

  for (const [problem, args] of [
    ['--id is missing', ['--control_endpoint=x']],
    ['--control_endpoint or --provision_endpoint', ['--id=1']],
    ['not JSON', ['--id=1', '--control_endpoint=x', '--options={']],
    ['not a list', ['--id=1', '--control_endpoint=x', '--options={"registered_node_modules":"a"}']],
  ] as const) {
    it(`are refused when wrong: ${problem}`, () => {
      expect(() => parseWorkerArguments(args)).to.throw(BadWorkerArguments, problem);
    });
  }
});
