// The program that a runner starts as its SDK worker, in a process or a container: it asks the runner what to do, loads the
// modules that the pipeline names, and runs bundles until the runner ends the control stream. The DoFn modules are loaded for
// their operators: a pipeline's own modules may mention only the types.
import './compat.ts';
import './async-do-fn.ts';
import './sync-do-fn.ts';
import { moduleUrl, UnknownModule } from './module-names.ts';
import { disposeOperators } from './operator.ts';
import { provision } from './provisioning.ts';
import { describeError } from './repairs/worker.ts';
import { endOfStream } from './repairs/grpc-clients.ts';
import { grpc, workers } from './sdk.ts';
import { openWorkerLog } from './worker-log.ts';
import type { WorkerLog } from './worker-log.ts';
import { BadWorkerArguments, parseWorkerArguments } from './worker-settings.ts';
import type { WorkerSettings } from './worker-settings.ts';

type SdkWorker = InstanceType<typeof workers.Worker>;

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

/** The DoFns of bundles that ended well wait in the worker's pool. */
async function tearDown(worker: SdkWorker, log: WorkerLog): Promise<void> {
  const operators = [...worker.bundleProcessors.values()]
    .flat()
    .flatMap(({ operators: of }) => [...of.values()]);
  for (const error of await disposeOperators(operators))
    log.log('warn', `teardown failed: ${describeError(error)}`);
}

async function serve({ id, controlEndpoint, modules }: WorkerSettings, log: WorkerLog): Promise<number> {
  if (controlEndpoint === undefined) throw new BadWorkerArguments('there is no control endpoint');
  await loadModules(modules);
  const worker = new workers.Worker(id, { controlUrl: controlEndpoint });
  log.log('info', `worker ${id} serves ${controlEndpoint}`);
  const status = await endOfStream(worker.controlChannel);
  await tearDown(worker, log);
  if (status === undefined || status.code === grpc.status.OK || status.code === grpc.status.CANCELLED)
    return 0;
  log.log('error', `the control stream ended: ${status.details} (${status.code})`);
  return 1;
}

async function main(args: readonly string[]): Promise<number> {
  const settings = await provision(parseWorkerArguments(args));
  const log = openWorkerLog(settings.id, settings.loggingEndpoint);
  try {
    return await serve(settings, log);
  } catch (error) {
    log.log('error', describeError(error));
    return 1;
  } finally {
    await log.close();
  }
}

main(process.argv.slice(2)).then(
  // Streams to the runner and DoFns may keep handles open that nobody needs any more.
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(1);
  },
);
