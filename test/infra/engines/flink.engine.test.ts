import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { answersAt, splitAddress } from '#infra/emulators/loopback.ts';
import { folderUrl } from '#infra/engines/flink/configuration.ts';
import { flinkOptions, type FlinkJobSettings } from '#infra/engines/flink/job-options.ts';
import type { FlinkEngine } from '#infra/engines/flink/open-flink.ts';
import type { RunningFlinkJob } from '#infra/engines/flink/running-jobs.ts';
import { workersBelow } from '#infra/engines/worker-processes.ts';
import { submitJob, untilDone, type Job } from '#pipelines/beam/job-client.ts';
import { openTestFlink, useEngine } from '#test/support/engines.ts';
import { eventually } from '#test/support/eventually.ts';
import { boundedJob, endlessJob, EXPECTED_GROUPS, linesOf, processWorkers } from './jobs.ts';

/** A loaded machine starts four Java programs and some workers. */
const CLUSTER_MS_MAX = 300_000;

for (const mode of ['mini', 'cluster'] as const)
  describe(`Flink, as a ${mode}${mode === 'mini' ? ' cluster' : ' of processes'}`, function () {
    this.timeout(CLUSTER_MS_MAX);
    const folder = mkdtempSync(join(tmpdir(), 'millrace-flink-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const flink = useEngine(() => openTestFlink(mode, join(folder, 'engine')));
    const tests = flinkTests(flink, folder);
    // A job of a test that failed would keep the slots of the next.
    afterEach(async () => {
      for (const { name } of await flink().jobs()) await flink().stopJob(name);
    });

    it('runs a bounded job', tests.bounded);
    it('listens on the loopback interface and no other', () => tests.loopbackOnly());
    it(
      'counts delays in milliseconds, and a source without end makes its checkpoints no larger',
      tests.endless,
    );
    it('goes on from a savepoint, and ends a job by name at Flink itself', tests.savepoint);
    if (mode === 'cluster') it('goes on elsewhere when a TaskManager is killed', tests.killed);
    it('says why, when it has ended though nobody closed it', tests.ended);
  });

function flinkTests(flink: () => FlinkEngine, folder: string) {
  const submit = (
    name: string,
    proto: Parameters<typeof submitJob>[0]['proto'],
    options: Partial<FlinkJobSettings> & { readonly from?: Readonly<Record<string, string>> } = {},
  ): Promise<Job> => {
    const { from, ...settings } = options;
    const checkpointUrl = folderUrl(flink().folders.checkpoints);
    return submitJob({
      endpoint: flink().jobEndpoint,
      name,
      proto,
      environment: processWorkers(),
      options: { ...flinkOptions({ checkpointUrl, ...settings }), ...from },
    });
  };
  const rounds = (path: string): number => linesOf(path).length;
  const untilRounds = (path: string, count: number, job: Job): Promise<void> =>
    eventually(`${count} rounds`, () => rounds(path) >= count, {
      patienceMs: CLUSTER_MS_MAX,
      explain: () => JSON.stringify(job.messages()),
    });
  const running = async (name: string): Promise<RunningFlinkJob> => {
    const [job] = await flink().jobs(name);
    if (job === undefined) return expect.fail(`no job '${name}' runs`);
    return job;
  };
  const checkpointAfter = async (
    job: RunningFlinkJob,
    id: number,
  ): Promise<{ id: number; bytes: number }> => {
    let latest: { id: number; bytes: number } | undefined;
    await eventually('another checkpoint', async () => {
      const checkpoints = await job.rest.checkpoints(job.id);
      if (checkpoints.latest !== undefined && checkpoints.latest.id > id)
        latest = { id: checkpoints.latest.id, bytes: checkpoints.latest.stateBytes };
      return latest !== undefined;
    });
    return latest!;
  };

  return {
    bounded: async (): Promise<void> => {
      const path = join(folder, 'bounded');
      await untilDone(await submit('bounded', boundedJob(path)));
      const groups = linesOf(path).map(({ pid: _, ...group }) => group);
      expect(groups.sort((a, b) => Number(a.key) - Number(b.key))).to.deep.equal(EXPECTED_GROUPS);
    },

    loopbackOnly: async (): Promise<void> => {
      const { port } = splitAddress(flink().jobEndpoint);
      expect(await answersAt(flink().jobEndpoint)).to.equal(true);
      const others = Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ internal, family }) => !internal && family === 'IPv4');
      for (const { address } of others)
        expect(await answersAt(`${address}:${port}`), address).to.equal(false);
    },

    endless: async (): Promise<void> => {
      const path = join(folder, 'leak');
      const job = await submit('leak', endlessJob(path), { checkpointIntervalMs: 1_000 });
      await untilRounds(path, 20, job);
      const first = await checkpointAfter(await running('leak'), 0);
      const before = rounds(path);
      await untilRounds(path, before + 100, job);
      const later = await checkpointAfter(await running('leak'), first.id);
      // Beam's own class adds 5 KB for each round. What a checkpoint of the same state has varies by some hundred bytes.
      expect(later.bytes - first.bytes).to.be.below(20_000);
      await flink().stopJob('leak');
    },

    savepoint: async (): Promise<void> => {
      const path = join(folder, 'endless');
      const job = await submit('endless', endlessJob(path), { checkpointIntervalMs: 1_000 });
      await untilRounds(path, 20, job);
      const { id, rest } = await running('endless');
      const savepoint = await rest.savepoint(id, folderUrl(flink().folders.savepoints));
      await flink().stopJob('endless');
      expect(await flink().jobs('endless')).to.deep.equal([]);
      await eventually('its workers have ended', async () =>
        (await workersBelow(flink().pids))!.every((pid) => linesOf(path).every((line) => line.pid !== pid)),
      );
      const stopped = rounds(path);
      const from = await flink().startingFrom(savepoint);
      const again = await submit('endless', endlessJob(path), { from });
      await untilRounds(path, stopped + 5, again);
      // Where it was saved, not at the beginning.
      expect(linesOf(path)[stopped]!.round).to.be.above(0);
      const restored = await running('endless');
      await eventually(
        'Flink tells that it was restored',
        async () => (await restored.rest.checkpoints(restored.id)).restored === 1,
      );
      expect((await restored.rest.job(restored.id))!.vertices).to.not.deep.equal([]);
      await flink().stopJob('endless');
      expect((await again.ended).state).to.not.equal('DONE');
      // Harmless when there is none.
      await flink().stopJob('endless');
    },

    killed: async (): Promise<void> => {
      const path = join(folder, 'killed');
      const job = await submit('killed', endlessJob(path), { parallelism: 2, checkpointIntervalMs: 1_000 });
      await untilRounds(path, 20, job);
      await checkpointAfter(await running('killed'), 0);
      const worker = linesOf(path).at(-1)!.pid;
      const managers = flink().cluster!.taskManagers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
      const owners = await Promise.all(
        managers.map(async (pid) => ((await workersBelow([pid])) ?? []).includes(worker)),
      );
      process.kill(managers[owners.indexOf(true)]!, 'SIGKILL');
      await eventually('another worker reads on', () => linesOf(path).at(-1)!.pid !== worker, {
        patienceMs: CLUSTER_MS_MAX,
      });
      const { id, rest } = await running('killed');
      await eventually('the restart is told', async () => ((await flink().restarts('killed')) ?? 0) > 0);
      expect(await rest.exceptions(id)).to.not.deep.equal([]);
      expect(linesOf(path).at(-1)!.round).to.be.above(0);
      await flink().cluster!.startTaskManager();
      await flink().stopJob('killed');
    },

    ended: async (): Promise<void> => {
      const [jobServer] = flink().pids;
      process.kill(jobServer!, 'SIGKILL');
      expect(await flink().exited).to.match(/^the job server has ended/);
    },
  };
}
