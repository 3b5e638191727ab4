import { spawn } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { FanOut } from '#pipelines/beam/fan-out.ts';
import { apply } from '#pipelines/beam/graph.ts';
import { registeredModules } from '#pipelines/beam/registration.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import '#pipelines/portable/graph.ts';
import { startFnApiRunner } from '#test/support/fn-api-harness.ts';

/** All that a container of Dataflow starts its entry point with: addresses that the provision service says again, and a folder of the machine. */
const CONTAINER_ARGUMENTS = [
  '--artifact_endpoint=127.0.0.1:1',
  '--semi_persist_dir=/var/opt/google',
  '--status_endpoint=127.0.0.1:1',
];

/** Links the worker of the image in `app` to where runners look for it; resolves with that place. */
export async function linkBoot(app: string): Promise<string> {
  const boot = join(dirname(app), 'opt/apache/beam/boot');
  await mkdir(dirname(boot), { recursive: true });
  await symlink(join(app, 'pipelines/beam/worker.sh'), boot);
  return boot;
}

/**
 * Starts the worker as a container of Dataflow does, with an environment of nothing but a path to Node, has it load the modules of the usage graph
 * and run a bundle, and ends it as the runner does.
 */
export async function expectBoots(boot: string): Promise<void> {
  const modules = registeredModules().filter((name) => !name.startsWith('millrace/test/'));
  const environment = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, NODE_ENV: 'production' };
  const runner = await startFnApiRunner({
    modules,
    provisioned: true,
    options: { millrace_environment: { MILLRACE_BACKEND: 'gcp' } },
    launch: (args) =>
      spawn(boot, [...args.map((arg) => arg.replaceAll("'", '')), ...CONTAINER_ARGUMENTS], {
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
  });
  try {
    const stage = runner.stage((source) => apply('fan-out', source, syncParDo(new FanOut(['one', 'two']))));
    expect((await runner.run(stage, [0, 0])).outputs).to.deep.equal(['one', 'two', 'one', 'two']);
  } finally {
    await runner.close();
  }
}
