import { expect } from 'chai';
import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { cloudEnvironment } from '#test/support/cloud-stores.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { usePrepared } from '#test/support/engines.ts';
import { planUsage, type Plan } from '#test/support/reference-plan.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { expectAgreement } from './agreement.ts';
import {
  expectNothingUnacknowledged,
  isRunning,
  openBench,
  runScenario,
  tell,
  untilPassed,
  usageTopic,
  type Bench,
  type Scenario,
} from './portable-run.ts';

export interface PortableSuite {
  readonly title: string;
  /** Finds or makes what the engine is started from. */
  readonly prepare: (settings: EmulatorSettings) => Promise<unknown>;
  /** Of `npm run pipeline`, beside the names and the folder. */
  readonly args: (folder: string) => readonly string[];
  /** The load is divided among them. */
  readonly scenarios: readonly Scenario[];
}

/** The events of each suite, for all its scenarios together. Who says how many gets all scenarios; else there are few of both, for every run of CI. */
const EVENTS = process.env['MILLRACE_FAULT_EVENTS'];
const EVENTS_OF_FEW = 4_000;
const SEED = 11;
const SUITE_MS = 900_000;

/**
 * Declares suites, each with jobs on a database of its own: each scenario has a part of the load and a fault in the middle of it. The watermark is held against what
 * is committed all the while, and in the end everything agrees to the last unit. The ends come after all scenarios: on the emulator the watermark of what was killed takes
 * two minutes, and these go by while the next engine works.
 */
export function describePortable(suites: readonly PortableSuite[]): void {
  describe('the usage job on a distributed engine', function () {
    this.timeout(SUITE_MS);
    const chosen = suites.filter(({ scenarios }) => scenariosOf(scenarios).length > 0);
    const started = chosen.map(describeScenarios);
    chosen.forEach((suite, i) => describeEnd(suite, () => started[i]?.()));
    after('pipelines and stores', () => Promise.all(started.map(async (each) => each()?.bench.close())));
  });
}

const scenariosOf = (scenarios: readonly Scenario[]): readonly Scenario[] =>
  scenarios.filter(({ onlyInFull = false }) => EVENTS !== undefined || !onlyInFull);

/** What a suite has begun. */
interface Begun {
  readonly bench: Bench;
  readonly plan: Plan;
}

function describeScenarios({ title, prepare, args, scenarios: all }: PortableSuite): () => Begun | undefined {
  const scenarios = scenariosOf(all);
  let begun: Begun | undefined;
  describe(title, () => {
    const emulators = useEmulators();
    usePrepared(prepare);
    before('stores and pipeline', async () => {
      const events = Number(EVENTS ?? EVENTS_OF_FEW);
      const plan = planUsage(seededRandom(SEED), systemScheduler.now(), { events });
      begun = { plan, bench: await openBench(cloudEnvironment(emulators), args) };
      await begun.bench.startNext().until('the job runs', isRunning);
    });
    scenarios.forEach(({ name, fault }, i) => {
      it(name, async () => {
        const { bench, plan } = known(begun);
        const size = Math.ceil(plan.messages.length / scenarios.length);
        tell(await runScenario(bench, plan.messages.slice(i * size, (i + 1) * size), fault));
      });
    });
  });
  return () => begun;
}

function describeEnd({ title, prepare }: PortableSuite, begunNow: () => Begun | undefined): void {
  describe(`${title}, in the end`, () => {
    useEmulators();
    usePrepared(prepare);
    it('agrees to the last unit in database and warehouse, with a watermark past everything and nothing unacknowledged', async () => {
      const { bench, plan } = known(begunNow());
      const { stores, pipeline } = bench;
      await untilPassed(bench);
      expect(await pipeline().stop(), pipeline().explain()).to.deep.equal({ code: 0, signal: null });
      await expectNothingUnacknowledged(usageTopic(stores));
      await expectAgreement(stores, plan);
    });
  });
}

function known(begun: Begun | undefined): Begun {
  if (begun === undefined) throw new Error('the suite has not begun');
  return begun;
}
