// The program that a runner starts as its SDK worker, in a process or a container: it asks the runner what to do, loads the
// modules that the pipeline names, and runs bundles until the runner ends the control stream. The DoFn modules are loaded for
// their operators: a pipeline's own modules may mention only the types.
import './compat.ts';
import './async-do-fn.ts';
import './combining.ts';
import './splittable-do-fn.ts';
import './sync-do-fn.ts';
import { fileURLToPath } from 'node:url';
import { moduleUrl, UnknownModule } from './module-names.ts';
import { disposeOperators } from './operator.ts';
import { adoptPipelineOptions } from './pipeline-options.ts';
import { provision } from './provisioning.ts';
import { endOfStream } from './repairs/grpc-clients.ts';
import { endRounds } from './repairs/residuals.ts';
import { describeError } from './repairs/worker.ts';
import { failRunningBundles, onBundleFailure } from './running-bundles.ts';
import { grpc, workers } from './sdk.ts';
import { isSibling, startSiblings } from './sibling-workers.ts';
import { endWorker, WORKER_END_MS } from './worker-end.ts';
import { openWorkerLog } from './worker-log.ts';
import type { WorkerLog } from './worker-log.ts';
import { BadWorkerArguments, modulesOf, parseWorkerArguments } from './worker-settings.ts';
import type { WorkerSettings } from './worker-settings.ts';
import { untilAsked } from './worker-signals.ts';

type SdkWorker = InstanceType<typeof workers.Worker>;

const SUCCESS = 0;
const FAILURE = 1;
/** For the DoFns and what is to be done after them. */
const TEARDOWN_MS = 2 * WORKER_END_MS;

/** One after the other, so that an error names the module that failed. */
async function loadModules(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const url = moduleUrl(name);
    try {
      await import(url);
    } catch (error) {
      throw new UnknownModule(name, describeError(error));
    }
  }
}

/** The DoFns of bundles that ended well wait in the worker's pool. What they hold is given back before the worker's own last work. */
async function tearDown(worker: SdkWorker, log: WorkerLog): Promise<void> {
  // Nobody will have what the sources of running bundles still read.
  for (const running of worker.activeBundleProcessors.values()) endRounds(running);
  const operators = [...worker.bundleProcessors.values()]
    .flat()
    .flatMap(({ operators: of }) => [...of.values()]);
  for (const error of await disposeOperators(operators))
    log.log('warn', `teardown failed: ${describeError(error)}`);
  for (const error of await endWorker()) log.log('warn', `the worker's end failed: ${describeError(error)}`);
}

/** The runner is told with the bundle's response; here everybody else is. */
function reportFailures(log: WorkerLog): void {
  onBundleFailure((bundleId, error) =>
    log.log('error', `the bundle failed: ${describeError(error)}`, bundleId),
  );
  process.on('uncaughtException', (error) => {
    const failed = failRunningBundles(error);
    log.log('error', `nobody caught this, ${failed} bundle(s) fail with it: ${describeError(error)}`);
  });
}

/** Resolves with the exit code when the runner ends the control stream. */
async function untilRunnerEnds(worker: SdkWorker, log: WorkerLog): Promise<number> {
  const status = await endOfStream(worker.controlChannel);
  if (status === undefined || status.code === grpc.status.OK || status.code === grpc.status.CANCELLED)
    return SUCCESS;
  log.log('error', `the control stream ended: ${status.details} (${status.code})`);
  return FAILURE;
}

async function serve(settings: WorkerSettings, args: readonly string[], log: WorkerLog): Promise<number> {
  const { id, controlEndpoint, options, siblingIds } = settings;
  if (controlEndpoint === undefined) throw new BadWorkerArguments('there is no control endpoint');
  const asked = untilAsked();
  adoptPipelineOptions(options);
  await loadModules(modulesOf(options));
  reportFailures(log);
  const worker = new workers.Worker(id, { controlUrl: controlEndpoint });
  log.log('info', `worker ${id} serves ${controlEndpoint}`);
  const say = (severity: 'info' | 'error', code: number) => (reason: string) => {
    log.log(severity, `worker ${id} ends: ${reason}`);
    return code;
  };
  const siblings = startSiblings(isSibling() ? [] : siblingIds, args, fileURLToPath(import.meta.url));
  const ended = await Promise.race([
    untilRunnerEnds(worker, log),
    asked.then(say('info', SUCCESS)),
    siblings.then(say('error', FAILURE)),
  ]);
  worker.stop();
  // A DoFn that never ends its teardown must not keep a worker that nobody needs any more.
  const late = setTimeout(
    (code: number) => {
      log.log('warn', `teardown took longer than ${TEARDOWN_MS} ms`);
      process.exit(code);
    },
    TEARDOWN_MS,
    ended,
  );
  await tearDown(worker, log);
  clearTimeout(late);
  return ended;
}

async function main(args: readonly string[]): Promise<number> {
  const settings = await provision(parseWorkerArguments(args));
  const log = openWorkerLog(settings.id, settings.loggingEndpoint);
  try {
    return await serve(settings, args, log);
  } catch (error) {
    log.log('error', describeError(error));
    return FAILURE;
  } finally {
    await log.close();
  }
}

main(process.argv.slice(2)).then(
  // Streams to the runner and DoFns may keep handles open that nobody needs any more.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(FAILURE);
  },
);
