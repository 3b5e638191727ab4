import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { fanOut, impulse } from '#pipelines/beam/fan-out.ts';
import { apply, buildPipeline } from '#pipelines/beam/graph.ts';
import { groupPerKey } from '#pipelines/beam/grouping.ts';
import { submitJob, untilDone } from '#pipelines/beam/job-client.ts';
import { splittableParDo } from '#pipelines/beam/splittable-do-fn.ts';
import { linesOf, processWorkers } from '#test/infra/engines/jobs.ts';
import { lastDigit, WriteGroups } from '#test/infra/engines/stages.ts';
import { openTestPrism, useEngine } from '#test/support/engines.ts';
import { Counting } from './sources.ts';

const END = 100;
const VALUES = Array.from({ length: END }, (_, value) => value);
const READERS = ['a', 'b', 'c'];

describe('a splittable ParDo on Prism', () => {
  const prism = useEngine(openTestPrism);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-source-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is read by every reader to its end, each value once, and its watermark then lets groups go', async () => {
    const path = join(folder, 'groups');
    const proto = buildPipeline((root) => {
      const readers = apply('readers', impulse(root), fanOut(READERS));
      const read = apply('read', readers, splittableParDo(new Counting(END, END / 4)));
      apply('write', apply('group', read, groupPerKey(lastDigit)), asyncParDo(new WriteGroups(path)));
    });
    const job = { endpoint: prism().jobEndpoint, name: 'counting', proto, environment: processWorkers() };
    await untilDone(await submitJob(job));
    const groups = linesOf(path) as unknown as readonly { key: string; count: number; sum: number }[];
    const expected = Array.from({ length: 10 }, (_, digit) => {
      const read = READERS.flatMap(() => VALUES.filter((value) => value % 10 === digit));
      return { key: String(digit), count: read.length, sum: read.reduce((sum, value) => sum + value, 0) };
    });
    expect(groups.map(({ key, count, sum }) => ({ key, count, sum }))).to.have.deep.members(expected);
  });
});
