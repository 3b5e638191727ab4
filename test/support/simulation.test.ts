import { expect } from 'chai';
import fc from 'fast-check';
import { seededRandom } from './seeded-random.ts';
import { simulate, SimulationFailure, SIMULATION_START, STEPS_MAX } from './simulation.ts';
import type { Simulation } from './simulation.ts';

const SEEDS = 50;
const MINUTE = 60_000_000;

/** Three tasks that take turns; the order in which they do is the result. */
async function race(sim: Simulation): Promise<string> {
  let order = '';
  const run = (name: string) => async (): Promise<void> => {
    for (let turn = 0; turn < 4; turn++) {
      await sim.point('turn');
      order += name;
    }
  };
  await Promise.all(['a', 'b', 'c'].map((name) => sim.spawn(name, run(name))));
  return order;
}

const failureOf = (promise: Promise<unknown>): Promise<SimulationFailure> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => {
      expect(error).to.be.instanceOf(SimulationFailure);
      return error as SimulationFailure;
    },
  );

describe('seeded random numbers', () => {
  it('lie in [0, 1), are the same for the same seed and spread evenly', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (seed) => {
        const [one, two] = [seededRandom(seed), seededRandom(seed)];
        const drawn = Array.from({ length: 400 }, () => one.next());
        expect(drawn).to.deep.equal(drawn.map(() => two.next()));
        expect(drawn.every((number) => number >= 0 && number < 1)).to.be.true;
        expect(drawn.reduce((sum, number) => sum + number) / drawn.length).to.be.within(0.35, 0.65);
      }),
    );
  });

  it('a shuffle keeps every item', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.nat()), (seed, items) => {
        expect(seededRandom(seed).shuffle(items)).to.have.members(items).and.have.lengthOf(items.length);
      }),
    );
  });
});

describe('simulation', () => {
  it('the seed alone decides the order', async () => {
    const orders = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const order = await simulate(seed, race);
      expect(await simulate(seed, race)).to.equal(order);
      orders.add(order);
    }
    expect(orders.size).to.be.above(SEEDS / 2);
  });

  it('some seed lets one task stand still until all others are done', async () => {
    const orders = await Promise.all(Array.from({ length: 4 * SEEDS }, (_, seed) => simulate(seed, race)));
    expect(orders.some((order) => order.endsWith('aaaa'))).to.be.true;
    expect(orders.some((order) => order.startsWith('aaaa'))).to.be.true;
  });

  it('answers with the result of the body once every task has finished', async () => {
    let late = false;
    const result = await simulate(1, async (sim) => {
      void sim.spawn('slow', async () => {
        await sim.sleep(MINUTE);
        late = true;
      });
      return 'result';
    });
    expect(result).to.equal('result');
    expect(late).to.be.true;
  });

  it('time passes only between steps, and never wakes a sleeper early', async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await simulate(seed, async (sim) => {
        expect(sim.now()).to.be.within(SIMULATION_START, SIMULATION_START + MINUTE);
        const naps = [3, 1, 2].map((minutes) =>
          sim.spawn(`nap ${minutes}`, async () => {
            const from = sim.now();
            await sim.sleep(minutes * MINUTE);
            expect(sim.now() - from).to.be.at.least(minutes * MINUTE);
          }),
        );
        await Promise.all(naps);
      });
    }
  });

  it('a cancelled timer never fires', () =>
    simulate(1, async (sim) => {
      const cancel = sim.after(10, () => expect.fail('it fired'));
      cancel();
      await sim.sleep(MINUTE);
    }));

  it('a crashed task, and what it spawned, never goes on; its name is free again', async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      await simulate(seed, async (sim) => {
        let [alive, ticks] = [true, 0];
        const tick = async (): Promise<void> => {
          for (;;) {
            await (sim.draw.chance(0.5) ? sim.point('tick') : sim.sleep(100));
            expect(alive).to.be.true;
            ticks++;
          }
        };
        void sim.spawn('worker', async () => {
          void sim.spawn('child', tick);
          await tick();
        });
        await sim.sleep(sim.draw.below(10_000));
        sim.crash('worker');
        alive = false;
        const before = ticks;
        await sim.sleep(MINUTE);
        expect(ticks).to.equal(before);
        expect(await sim.spawn('worker', async () => 'successor')).to.equal('successor');
      });
    }
  });

  it('a failure of any task carries the seed, the cause and the trace, and the seed repeats it', async () => {
    const cause = new Error('boom');
    const fail = (sim: Simulation) =>
      sim.spawn('bomb', async () => {
        await sim.point('fuse');
        throw cause;
      });
    const failure = await failureOf(simulate(7, fail));
    expect(failure).to.include({ seed: 7, cause });
    expect(failure.message).to.include('seed 7: bomb failed: boom').and.to.include('bomb: fuse');
    expect((await failureOf(simulate(7, fail))).message).to.equal(failure.message);
  });

  it('a deadlock names the tasks that wait', async () => {
    const failure = await failureOf(
      simulate(1, (sim) => sim.spawn('stuck', () => new Promise(() => undefined))),
    );
    expect(failure.message).to.include('deadlock').and.to.include('body, stuck');
  });

  it('a run that goes round in circles is ended', async () => {
    const spin = async (sim: Simulation): Promise<void> => {
      for (;;) await sim.point('spin');
    };
    expect((await failureOf(simulate(1, spin))).message).to.include(`not over after ${STEPS_MAX} steps`);
  });

  it('after its end, points let a test through, so that it can look at what is left', async () => {
    const sim = await simulate(1, async (running) => running);
    await sim.point('afterwards');
  });
});
