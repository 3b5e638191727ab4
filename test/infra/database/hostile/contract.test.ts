import { noFaults } from '#infra/database/hostile/faults.ts';
import type { Faults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import type { Schedule } from '#infra/database/hostile/schedule.ts';
import { databaseContract } from '#test/contract/database/suite.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { SIMULATION_START } from '#test/support/simulation.ts';

/** Whatever waits goes on in the order of the seed. The clock stands still: commit times must rise all the same. */
function shuffled(seed: number): Schedule {
  const draw = seededRandom(seed);
  const waiting: (() => void)[] = [];
  const goOn = (): void => waiting.splice(draw.below(waiting.length), 1).forEach((resume) => resume());
  const point = (): Promise<void> =>
    new Promise((resume) => {
      waiting.push(resume);
      setImmediate(goOn);
    });
  return { point, random: draw.next, now: () => SIMULATION_START };
}

function hostile(name: string, faults: Faults): void {
  databaseContract(name, async (tables) => {
    const database = openHostile({ tables, schedule: shuffled(1), faults });
    return { database, close: () => database.close() };
  });
}

hostile('the hostile driver without faults', noFaults);
// Of the other faults the contract says nothing: it takes an error for an error.
hostile('the hostile driver that aborts and is late', { ...noFaults, abort: 0.2, delay: 0.3 });
