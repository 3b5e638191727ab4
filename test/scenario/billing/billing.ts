import { MICROS_PER_DAY, MICROS_PER_MINUTE, type Instant } from '#domain/instant.ts';
import { cancelAll, change, decide, drawUsage, migrate, resumeAll, subscribe, voidOne } from './life.ts';
import {
  billTown,
  foundTown,
  GRACE_MICROS,
  invoiceRows,
  publish,
  reachNow,
  roll,
  type Town,
} from './town.ts';
import { judge } from './verdict.ts';
import { minuteOf } from './zoned-periods.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';

/** From the days before a month ends that has no 29th to the days after one that has: 14 months. */
const START = instant('2027-01-27T09:17:00Z');
const DAYS = 427;
/** At the end nobody changes anything for so long, so that all that was changed is settled. */
const QUIET_DAYS = 100;

/** Lives 14 months in a town that a seed draws, and then looks at every invoice. */
export async function liveAndJudge(seed: number): Promise<void> {
  const town = await foundTown(seededRandom(seed), START);
  for (const citizen of town.customers) await subscribe(town, citizen);
  await live(town, START + (DAYS - QUIET_DAYS) * MICROS_PER_DAY, true);
  await resumeAll(town);
  await live(town, START + DAYS * MICROS_PER_DAY, false);
  await expectSettled(town, seed, 'as they go on');
  await cancelAll(town);
  await pass(town, town.clock.now + MICROS_PER_DAY);
  await expectSettled(town, seed, 'once all have ended');
}

/** Days go by, with usage, changes and runs; now and then there are no runs for weeks. */
async function live(town: Town, until: Instant, isBusy: boolean): Promise<void> {
  const { draw, clock } = town;
  let downUntil = 0;
  while (clock.now < until) {
    await pass(
      town,
      clock.now + MICROS_PER_DAY * (1 + draw.below(4)) + MICROS_PER_MINUTE * draw.below(1_440),
    );
    if (draw.chance(0.02)) downUntil = clock.now + draw.below(75) * MICROS_PER_DAY;
    if (isBusy) await act(town);
    if (clock.now >= downUntil && draw.chance(0.6)) await bill(town);
    if (isBusy) await act(town);
  }
}

async function pass(town: Town, to: Instant): Promise<void> {
  const { draw, clock } = town;
  const used = drawUsage(town, clock.now, to);
  clock.now = to;
  await publish(town, used);
  await reachNow(town);
  if (draw.chance(0.7)) await roll(town);
}

async function act(town: Town): Promise<void> {
  const { draw, customers } = town;
  if (draw.chance(0.02)) await subscribe(town, draw.pick(customers));
  if (draw.chance(0.25)) await change(town);
  if (draw.chance(0.02)) await migrate(town);
  if (draw.chance(0.06)) await voidOne(town);
}

async function bill(town: Town, everything = false): Promise<void> {
  const run = await billTown(town);
  if (run.soFar.failed > 0) throw new Error(`could not bill: ${JSON.stringify(run.failures)}`);
  await decide(town, everything);
}

/** Bills until nothing is due any more, and compares it all with what is owed. */
export async function expectSettled(town: Town, seed: number, when: string): Promise<void> {
  const asOf = town.clock.now - 2 * GRACE_MICROS;
  for (let before = -1; before !== invoiceRows(town).length;) {
    before = invoiceRows(town).length;
    await bill(town, true);
  }
  await bill(town, true);
  const faults = await judge(town, minuteOf(asOf));
  if (faults.length > 0)
    throw new Error(`seed ${seed}, ${when}:\n${faults.slice(0, FAULTS_SHOWN).join('\n')}`);
}

const FAULTS_SHOWN = 20;
