import { createApiKey } from '#infra/access/api-keys.ts';
import type { Database } from '#infra/database/database.ts';
import { EngineUnavailable } from '#infra/engines/engine.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { createApiClient, type ApiClient } from './api-client.ts';
import type { DemoBacking, DemoScale } from './backing.ts';
import { billCustomers, type BilledMonth } from './bill-customers.ts';
import { checkDataSet } from './check.ts';
import { cloudBacking } from './cloud-backing.ts';
import { plannedTwice, type DataSet } from './data-set.ts';
import { dayOfUsage } from './day.ts';
import { embeddedBacking } from './embedded-backing.ts';
import { measureFreshness } from './freshness.ts';
import { checkInvoices } from './invoice-check.ts';
import { optionsOrExit, type DemoOptions } from './options.ts';
import { putCatalogue } from './put-catalogue.ts';
import { putPlan } from './put-plan.ts';
import { keepStoryEvent, tellReservations } from './reservation-story.ts';
import { openEntrances, runMessages, sendAll, startUsualPipeline, untilDrained } from './run.ts';
import { startChecks } from './steady-checks.ts';
import { tell, toJson, type Told } from './story.ts';
import { traceOfUsage } from './trace.ts';

const options = optionsOrExit(process.argv.slice(2));
try {
  process.exitCode = (await demo(options)) ? 0 : 1;
} catch (error) {
  if (!(error instanceof EngineUnavailable)) throw error;
  process.stderr.write(`${options.runner} cannot be had here: ${error.message}\n`);
  process.exitCode = 1;
}

async function demo({ backend, runner, directory }: DemoOptions): Promise<boolean> {
  const backing = await (backend === 'gcp'
    ? cloudBacking({ directory, runner })
    : embeddedBacking(directory));
  try {
    const dataSet = await chooseDataSet(options, backing.scale);
    const api = await backing.startApi();
    try {
      const client = createApiClient({ url: api.url, key: await makeKey(backing.stores.database) });
      return await demonstrate(dataSet, backing, client);
    } finally {
      await api.stop();
    }
  } finally {
    await backing.close();
  }
}

/** The key may do what the demo does over HTTP, and nothing else. */
async function makeKey(database: Database): Promise<string> {
  const { result } = await database.transact((tx) =>
    createApiKey(tx, {
      namespace: LOCAL_FEED.namespace,
      name: 'demo',
      scopes: [
        'catalogue:write',
        'customers:write',
        'events:write',
        'usage:read',
        'quota:check',
        'billing:read',
        'billing:write',
      ],
      now: systemScheduler.now(),
    }),
  );
  return result.secret;
}

async function demonstrate(dataSet: DataSet, backing: DemoBacking, client: ApiClient): Promise<boolean> {
  await putCatalogue(client, dataSet.catalogue, dataSet.from);
  await putPlan(client, dataSet);
  const counted = await countUsage(dataSet, backing, client);
  const invoices = checkInvoices(await bill(dataSet, backing, client), dataSet, counted.found.bills);
  const told = { options, dataSet, backing, ...counted, invoices, ok: counted.ok && invoices.ok };
  process.stdout.write(tell(told));
  if (options.json) process.stdout.write(`${JSON.stringify(toJson(told))}\n`);
  return told.ok;
}

/** Everything up to the bills: sends, counts, checks and measures. */
async function countUsage(
  dataSet: DataSet,
  backing: DemoBacking,
  client: ApiClient,
): Promise<Omit<Told, 'options' | 'dataSet' | 'backing' | 'invoices'>> {
  const { catalogue, storyLimit } = dataSet;
  const entrances = openEntrances(backing, client);
  const { flow, storyEvent } = keepStoryEvent(dataSet);
  const run = await runMessages(entrances, backing, { catalogue, flow });
  try {
    const send = async (messages: typeof flow): Promise<void> => {
      await sendAll(entrances, messages);
      await untilDrained(backing, entrances, run.pipeline);
    };
    const reservations = await tellReservations({ ...storyLimit, client, storyEvent, send });
    const checked = await checkDataSet({ ...entrances, reservations }, dataSet);
    const checks = startChecks(client, catalogue, backing.scale.checksPerSecond);
    const freshnessMs = await measureFreshness(backing.stores, backing.scale.steadyLoad);
    const steadyChecks = await checks.stop();
    return { run, answers: entrances.answers, reservations, ...checked, freshnessMs, steadyChecks };
  } finally {
    await run.pipeline.stop();
  }
}

/** The day is in: the pipeline goes on as usual, so that its month can be billed. */
async function bill({ month }: DataSet, backing: DemoBacking, client: ApiClient): Promise<BilledMonth> {
  process.stderr.write(
    'the day is in: starting the pipeline again with the lateness it has by default, and billing\n',
  );
  const pipeline = await startUsualPipeline(backing);
  try {
    return await billCustomers(client, { month, directory: options.directory });
  } finally {
    await pipeline.stop();
  }
}

async function chooseDataSet({ trace, twice, seed }: DemoOptions, scale: DemoScale): Promise<DataSet> {
  const now = Date.now();
  const dataSet = trace === undefined ? await dayOfUsage(now, seed, scale) : await traceOfUsage(trace, now);
  return twice ? { ...dataSet, planned: plannedTwice(dataSet.planned) } : dataSet;
}
