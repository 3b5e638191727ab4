import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { fanOut, impulse } from '#pipelines/beam/fan-out.ts';
import { apply, buildPipeline } from '#pipelines/beam/graph.ts';
import { groupByKey } from '#pipelines/beam/grouping.ts';
import { submitJob, untilDone } from '#pipelines/beam/job-client.ts';
import { assertPortable } from '#pipelines/beam/portability.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { keyedCoder, withCoder } from '#pipelines/beam/wire-coder.ts';
import { openTestFlink, openTestPrism, useEngine } from '#test/support/engines.ts';
import { processWorkers } from '../../infra/engines/jobs.ts';
import type { Reading } from './wire-stages.ts';
import { MakeReadings, METERS, readingCoder, totalOf, WriteTotals } from './wire-stages.ts';

/** A loaded machine starts a Java program and a cold job. */
const ENGINE_MS_MAX = 300_000;
const PARTS = 4;
const READINGS_PER_PART = 5_000;

const readingsJob = (path: string) =>
  buildPipeline((root) => {
    const firsts = Array.from({ length: PARTS }, (_, part) => part * READINGS_PER_PART);
    const make = withCoder(syncParDo(new MakeReadings(READINGS_PER_PART)), keyedCoder(readingCoder));
    const readings = apply('make', apply('parts', impulse(root), fanOut(firsts)), make);
    apply('write', apply('group', readings, groupByKey<Reading>()), asyncParDo(new WriteTotals(path)));
  });

interface Run {
  readonly jobEndpoint: string;
  readonly path: string;
  readonly options?: Record<string, string>;
}

async function expectReadings({ jobEndpoint, path, options = {} }: Run): Promise<void> {
  const proto = readingsJob(path);
  assertPortable(proto);
  const environment = processWorkers();
  await untilDone(await submitJob({ endpoint: jobEndpoint, name: 'readings', proto, environment, options }));
  const groups = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; total: string; strays: number });
  const keys = new Set(groups.map(({ key }) => key));
  expect([...keys].toSorted()).to.deep.equal(Array.from({ length: METERS }, (_, i) => `mètre-${i}`));
  expect(groups.map(({ strays }) => strays)).to.deep.equal(groups.map(() => 0));
  const total = groups.reduce((sum, group) => sum + BigInt(group.total), 0n);
  expect(total).to.equal(totalOf(PARTS * READINGS_PER_PART));
}

const GUARANTEE =
  'bring every element through a grouping, by keys that the engine sees and values that it does not';

describe('wire coders on an engine', function () {
  this.timeout(ENGINE_MS_MAX);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-wire-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  describe('that is Prism', () => {
    const prism = useEngine(openTestPrism);
    it(GUARANTEE, () => expectReadings({ jobEndpoint: prism().jobEndpoint, path: join(folder, 'prism') }));
  });

  describe('that is Flink', () => {
    const flink = useEngine(() => openTestFlink('mini', join(folder, 'flink')));
    it(GUARANTEE, () =>
      expectReadings({
        jobEndpoint: flink().jobEndpoint,
        path: join(folder, 'totals'),
        options: { parallelism: '1' },
      }),
    );
  });
});
