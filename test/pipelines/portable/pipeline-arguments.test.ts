import { expect } from 'chai';
import { engineSettingsOf } from '#pipelines/portable/engine-settings.ts';
import { parsePipelineArguments } from '#pipelines/portable/pipeline-arguments.ts';

const parse = (line: string) => parsePipelineArguments(line.split(' ').filter((part) => part !== ''));

describe('the arguments of npm run pipeline', () => {
  it('name a runner, and what is said to it', () => {
    expect(parse('--runner flink --parallelism 2 --checkpoint 5s --readers 3')).to.include({
      runner: 'flink',
      parallelism: 2,
      checkpoint: 5_000,
      readers: 3,
      json: false,
      drain: false,
    });
  });

  it('take times in milliseconds, seconds and minutes, within what makes sense', () => {
    const checkpoint = (text: string) => parse(`--runner flink --checkpoint ${text}`).checkpoint;
    expect(['500ms', '5s', '2m'].map(checkpoint)).to.deep.equal([500, 5_000, 120_000]);
    for (const wrong of ['5', '0s', '99ms', '61m', '-1s', '1e3ms', '5 s'])
      expect(() => checkpoint(wrong), wrong).to.throw(/checkpoint|argument/);
  });

  it('refuse what a runner would not heed, so that nobody relies on it', () => {
    const refused = [
      '--runner prism --parallelism 2',
      '--runner prism --checkpoint 5s',
      '--runner flink --dry-run',
      '--runner dataflow --job-endpoint localhost:1',
      '--runner dataflow --batch reconcile --update',
      '--runner flink --batch reconcile --name x',
      '--runner flink --drain',
      '--runner flink --job-endpoint localhost:1',
      '--runner flink --job-endpoint localhost:1 --flink-rest http://localhost:2',
      '--runner embedded',
      '--runner embedded --batch backfill --readers 2',
      '--runner spark',
      '--runner flink --no-such',
      '--runner flink --parallelism 0',
      '--runner flink --name Usage',
      '--runner flink --read java',
      '--runner flink --read python --folder there',
      '--runner flink --read java --folder there --readers 2',
      '--runner flink --read java --folder there --batch backfill',
      '--runner flink --read java --job-endpoint localhost:1 --flink-rest http://localhost:2 --checkpoint-url s3://b/c',
      '--runner prism --read java',
      '--runner dataflow --read java',
      '',
    ];
    for (const line of refused) expect(() => parse(line), line).to.throw(Error);
  });

  it('let Java read only where there is a folder for what it has acknowledged', () => {
    expect(parse('--runner flink --read java --folder there')).to.include({ read: 'java', folder: 'there' });
    expect(() => parse('--runner flink --read java')).to.throw(/--folder is missing/);
    expect(() => parse('--runner prism --read java')).to.throw(/--read is not for --runner prism/);
  });

  it('need of a cluster that runs already only what ending a job there needs', () => {
    const existing = '--runner flink --job-endpoint localhost:1 --flink-rest http://localhost:2';
    expect(parse(`${existing} --drain`)).to.include({ drain: true });
    expect(parse(`${existing} --checkpoint-url s3://bucket/checkpoints`)).to.include({
      'checkpoint-url': 's3://bucket/checkpoints',
    });
    expect(parse('--runner prism --job-endpoint localhost:1 --drain')).to.include({ drain: true });
  });

  it('name everything that is wrong at once', () => {
    expect(() => parse('--runner flink --parallelism x --checkpoint y --name -')).to.throw(
      /parallelism[\s\S]*|name[\s\S]*checkpoint/,
    );
  });

  it('take batch work on every engine that can do it', () => {
    for (const runner of ['embedded', 'prism', 'flink', 'dataflow'])
      expect(parse(`--runner ${runner} --batch reconcile`).batch).to.equal('reconcile');
  });

  it('become settings of an engine, with a worker for each part unless it is said otherwise', () => {
    const settings = (line: string) => {
      const args = parse(line);
      if (args.runner !== 'flink') throw new Error('only for flink');
      const {
        say: _,
        environment: __,
        ...rest
      } = engineSettingsOf({
        args: { ...args, runner: args.runner },
        environment: {},
        say: () => undefined,
      });
      return rest;
    };
    expect(settings('--runner flink')).to.deep.equal({ runner: 'flink' });
    expect(settings('--runner flink --parallelism 2')).to.deep.equal({
      runner: 'flink',
      parallelism: 2,
      workers: 2,
    });
    expect(settings('--runner flink --parallelism 4 --workers 1 --task-managers 2')).to.include({
      workers: 1,
      taskManagers: 2,
    });
  });
});
