import { rm } from 'node:fs/promises';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { checkDataSet } from './check.ts';
import type { DataSet } from './data-set.ts';
import { dayOfUsage } from './day.ts';
import { measureFreshness } from './freshness.ts';
import { readOptions, type DemoOptions } from './options.ts';
import { runDataSet } from './run.ts';
import { tell, toJson } from './story.ts';
import { traceOfUsage } from './trace.ts';

const options = readOptions(process.argv.slice(2));
process.exitCode = (await demo(options)) ? 0 : 1;

async function demo({ directory }: DemoOptions): Promise<boolean> {
  await rm(directory, { recursive: true, force: true });
  const stores = await openLocal({ directory, clock: systemScheduler.now });
  const dataSet = await chooseDataSet(options);
  const run = await runDataSet(stores, directory, dataSet);
  try {
    const { expected, found, ok } = await checkDataSet(stores, dataSet);
    const told = {
      options,
      dataSet,
      run,
      expected,
      found,
      ok,
      freshnessMs: await measureFreshness(stores, { eventsPerSecond: 2_000, seconds: 3 }),
    };
    process.stdout.write(tell(told));
    if (options.json) process.stdout.write(`${JSON.stringify(toJson(told))}\n`);
    return ok;
  } finally {
    await run.pipeline.stop();
    await stores.close();
  }
}

async function chooseDataSet({ trace, twice, seed }: DemoOptions): Promise<DataSet> {
  const now = Date.now();
  const dataSet = trace === undefined ? await dayOfUsage(now, seed) : await traceOfUsage(trace, now);
  return twice ? { ...dataSet, planned: [...dataSet.planned, ...dataSet.planned] } : dataSet;
}
