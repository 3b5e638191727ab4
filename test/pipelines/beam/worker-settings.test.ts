import { expect } from 'chai';
import { BadPipelineOptions, readPipelineOptions } from '#pipelines/beam/pipeline-options.ts';
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
      options: {},
      siblingIds: [],
    });
    expect(parseWorkerArguments(['--id=7', '--provision_endpoint=localhost:3'])).to.deep.equal({
      id: '7',
      provisionEndpoint: 'localhost:3',
      options: {},
      siblingIds: [],
    });
  });

  it('name the modules under a plain key or a urn, also one level deeper', () => {
    const modules = ['millrace/a'];
    const urn = { 'beam:option:registered_node_modules:v1': modules };
    for (const options of [urn, { registered_node_modules: modules }, { options: urn }]) {
      expect(modulesOf(readPipelineOptions(options))).to.deep.equal(modules);
    }
    expect(modulesOf(readPipelineOptions(null))).to.deep.equal([]);
  });

  for (const [problem, args] of [
    ['--id is missing', ['--control_endpoint=x']],
    ['--control_endpoint or --provision_endpoint', ['--id=1']],
    ['not JSON', ['--id=1', '--control_endpoint=x', '--options={']],
  ] as const) {
    it(`are refused when wrong: ${problem}`, () => {
      expect(() => parseWorkerArguments(args)).to.throw(BadWorkerArguments, problem);
    });
  }

  it('are refused when the options are no object, or their modules no list of names', () => {
    expect(() => parseWorkerArguments(['--id=1', '--control_endpoint=x', '--options=[1]'])).to.throw(
      BadPipelineOptions,
    );
    expect(() => modulesOf({ registered_node_modules: 'a' })).to.throw(BadWorkerArguments, 'not a list');
  });
});
