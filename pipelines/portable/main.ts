import { createLog } from '#infra/telemetry/create-log.ts';
import { startTelemetry } from '#infra/telemetry/start-telemetry.ts';
import { VERSION } from '#infra/version.ts';
import { readWorkerSettings } from '#pipelines/fleet/settings.ts';
import { listenForStop } from '#pipelines/runner/listen-for-stop.ts';
import type { BatchKind } from './batch/run.ts';
import { parsePipelineArguments, USAGE, type PipelineArguments } from './pipeline-arguments.ts';
import { runBatchJob } from './run-batch-job.ts';
import { runPipeline } from './run-pipeline.ts';
import { usagePipeline } from './submit.ts';

/**
 * `npm run pipeline -- --runner prism|flink|dataflow`: the usage graph as a job of a distributed engine, submitted and watched until it is told
 * to stop (SIGINT, SIGTERM, or its parent's channel closes); then the job is drained and ended. A second signal ends
 * everything at once. `--batch` runs a bounded job instead. Settings are in the environment, as for `npm run worker`. Exit code 0 when it was
 * told to stop or has done its work, 1 when it could not start or its failures went on repeating, 130 when it was ended at once.
 */
const environment = process.env;
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const signal = listenForStop();

const parsed = parseOrTell(process.argv.slice(2));
if (parsed !== undefined)
  try {
    const telemetry = await startTelemetry({ service: 'millrace-pipeline', version: VERSION, environment });
    process.exitCode = await run(parsed);
    await telemetry.shutdown();
  } catch (error) {
    say(`${parsed.runner}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
if (process.connected) process.disconnect();
// Whatever a client of a store still waits for, nothing of ours does.
process.exit();

/** Undefined when the arguments ask for help, or for nothing that there is: then that is told. */
function parseOrTell(args: readonly string[]): PipelineArguments | undefined {
  if (args.includes('--help')) {
    print(USAGE);
    return undefined;
  }
  try {
    return parsePipelineArguments(args);
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\nUsage: ${USAGE}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function run(parsed: PipelineArguments): Promise<number> {
  const { runner, batch } = parsed;
  if (runner === 'dataflow') return runDataflow(parsed);
  if (batch !== undefined) {
    await runBatchJob({ args: { ...parsed, runner, batch }, environment, say, signal });
    return 0;
  }
  // The arguments allow nothing else without a batch.
  if (runner === 'embedded') throw new Error('the embedded pipeline is started by npm start');
  const output = {
    isTerminal: process.stdout.isTTY,
    columns: () => process.stdout.columns,
    write: (text: string): void => void process.stdout.write(text),
  };
  return runPipeline({ args: { ...parsed, runner }, environment, output, say, signal });
}

/** Loaded when it is asked for: whoever runs another engine needs no client of Google's. */
async function runDataflow(parsed: PipelineArguments): Promise<number> {
  if (parsed.batch !== undefined) return runDataflowBatch(parsed, parsed.batch);
  const { runOnDataflow } = await import('./dataflow/run-on-dataflow.ts');
  const { name, readers, out, update, validate, drain, cancel, json } = parsed;
  return runOnDataflow({
    ...{ environment, print, signal, update, validate, drain, cancel, json },
    dryRun: parsed['dry-run'],
    ...(name !== undefined && { name }),
    ...(out !== undefined && { out }),
    buildPipeline: () => usagePipeline({ environment, ...(readers !== undefined && { readers }) }),
  });
}

async function runDataflowBatch(
  { out, json, ...parsed }: PipelineArguments,
  what: BatchKind,
): Promise<number> {
  const { runBatchOnDataflow } = await import('./dataflow/run-batch-on-dataflow.ts');
  const log = createLog(readWorkerSettings(environment).logLevel);
  return runBatchOnDataflow({
    ...{ environment, print, signal, json, what, log },
    dryRun: parsed['dry-run'],
    ...(out !== undefined && { out }),
  });
}
