import { expect } from 'chai';
import fc from 'fast-check';
import { dayOf, hourOf, MICROS_PER_DAY, minuteOfHour } from '#domain/instant.ts';
import { AGGREGATIONS, type Aggregation } from '#domain/metering/accumulator.ts';
import { fingerprintOf, fingerprintToHash } from '#domain/metering/fingerprint.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import type { MeterVersion } from '#domain/metering/meter.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import type { MeteredEvent } from '#infra/warehouse/metered-event.ts';
import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import type { AsyncDoFn } from '#pipelines/beam/async-do-fn.ts';
import { createBatchEngine } from '#pipelines/beam/batch-engine.ts';
import { apply, buildGraph } from '#pipelines/beam/graph.ts';
import { assertPortable } from '#pipelines/beam/portability.ts';
import { moduleName, register } from '#pipelines/beam/registration.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { recount } from '#pipelines/recount/graph.ts';
import type { RecountedMeter } from '#pipelines/recount/match-events.ts';
import type { RecountInput, SubjectRecount } from '#pipelines/recount/recounted.ts';

let gathered: SubjectRecount[] = [];

class Gather implements AsyncDoFn<SubjectRecount> {
  process(recounted: SubjectRecount): void {
    gathered.push(recounted);
  }
}
register(moduleName(import.meta.url), { Gather });

const DAY = 1_770_000_000_000_000 - (1_770_000_000_000_000 % MICROS_PER_DAY);
const SINCE = 5;

/** 20 digits before the point and 18 after it, as text: nothing here is ever a double. */
const value = fc
  .tuple(
    fc.bigInt({ min: -(10n ** 20n) + 1n, max: 10n ** 20n - 1n }),
    fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }),
  )
  .map(([units, fraction]) => `${units}.${String(fraction).padStart(18, '0')}`);

const events = fc.array(
  fc.record({
    value,
    subject: fc.constantFrom('acme', 'zürich/7', '😀'),
    model: fc.constantFrom('m1', 'm2', undefined),
    offset: fc.integer({ min: 0, max: MICROS_PER_DAY - 1 }),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    catalogueVersion: fc.integer({ min: 3, max: 6 }),
  }),
  { maxLength: 60 },
);

const inputsOf = (
  drawn: readonly (typeof events extends fc.Arbitrary<(infer Each)[]> ? Each : never)[],
): MeteredEvent[] =>
  drawn.map(({ value: v, subject, model, offset, hash, catalogueVersion }, at) => ({
    identity: String.fromCharCode(...hash.slice(0, 15), at),
    digest: fingerprintOf(String.fromCharCode(...hash.slice(16))),
    id: String(at),
    source: 'urn:test',
    type: 'use',
    subject,
    time: DAY + offset,
    data: model === undefined ? `{"v":${v}}` : `{"m":"${model}","v":${v}}`,
    catalogueVersion,
  }));

const meterOf = (aggregation: Aggregation): MeterVersion => ({
  ...{ key: 'm', version: 2, generation: 2, state: 'building', since: SINCE, until: null },
  definition: {
    ...{ name: 'M', eventType: 'use', aggregation, dimensions: { model: 'm' } },
    ...(aggregation === 'count' ? {} : { value: 'v' }),
  },
});

const ofMeter = (aggregation: Aggregation): RecountedMeter => ({
  namespace: 'default',
  meter: meterOf(aggregation),
  backfilled: { firstDay: dayOf(DAY), endDay: dayOf(DAY) + 1 },
  only: 'backfill',
});

const graphOf =
  (of: RecountedMeter) =>
  (source: PCollection<RecountInput>): void =>
    void apply('gather all', recount(source, of), asyncParDo(new Gather()));

const SCALE = 10n ** 18n;
const scaled = (text: string): bigint => {
  const [units = '', fraction = ''] = text.replace('-', '').split('.');
  const magnitude = BigInt(units) * SCALE + BigInt(fraction.padEnd(18, '0'));
  return text.startsWith('-') ? -magnitude : magnitude;
};
const valueOf = ({ data }: MeteredEvent): bigint => scaled(/"v":(-?[\d.]+)/.exec(data)?.[1] ?? '0');
const modelOf = ({ data }: MeteredEvent): string => /"m":"(\w+)"/.exec(data)?.[1] ?? '';
const later = (a: MeteredEvent, b: MeteredEvent): number =>
  a.time - b.time || (a.identity < b.identity ? -1 : 1);
const HOUR = 3_600_000_000;

/** The fold by hand: over whole events, in plain integers. */
function folded(aggregation: Aggregation, same: readonly MeteredEvent[]): string {
  const values = same.map(valueOf).sort((a, b) => (a < b ? -1 : Number(a > b)));
  const sum = values.reduce((total, each) => total + each, 0n);
  const moment = same.reduce((total, each) => total + valueOf(each) * BigInt(each.time % HOUR), 0n);
  const digest = same.reduce(
    (total, each) => (total + BigInt(`0x${toHex(fingerprintToHash(each.digest))}`)) % 2n ** 128n,
    0n,
  );
  const measured: Readonly<Record<Aggregation, readonly bigint[]>> = {
    ...{ count: [], unique: [], sum: [sum], average: [sum], timeWeightedSum: [sum, moment] },
    ...{ min: [values[0] ?? 0n], max: [values.at(-1) ?? 0n] },
    latest: [valueOf(same.toSorted(later).at(-1) as MeteredEvent)],
  };
  return [same.length, digest.toString(16).padStart(32, '0'), ...measured[aggregation]].join(' ');
}

function expectedCells(aggregation: Aggregation, all: readonly MeteredEvent[]): Map<string, string> {
  const counted = all.filter(({ catalogueVersion }) => catalogueVersion < SINCE);
  const placed = Map.groupBy(
    counted.flatMap((event) => [
      [event, 0, ''] as const,
      [event, 1, JSON.stringify([modelOf(event)])] as const,
    ]),
    ([event, view, group]) =>
      JSON.stringify([event.subject, view, hourOf(event.time), group, minuteOfHour(event.time)]),
  );
  return new Map(
    Array.from(placed, ([name, same]) => [
      name,
      folded(
        aggregation,
        same.map(([event]) => event),
      ),
    ]),
  );
}

function storedCells(aggregation: Aggregation, recounts: readonly SubjectRecount[]): Map<string, string> {
  const cells = new Map<string, string>();
  for (const { subject, hours } of recounts)
    for (const { view, hour, group, cell } of hours)
      for (const [minute, minuteCell] of unpackHourCell(aggregation, cell).minutes) {
        const measured = {
          ...{ count: [], unique: [] },
          ...{ timeWeightedSum: [minuteCell.value, minuteCell.moment] },
        } as Partial<Record<Aggregation, readonly (number | bigint)[]>>;
        const values = (measured[aggregation] ?? [minuteCell.value]).map((each) =>
          scaled(toDecimalString(each)),
        );
        const name = JSON.stringify([subject, view, hour, group, minute]);
        cells.set(name, [minuteCell.count, toHex(fingerprintToHash(minuteCell)), ...values].join(' '));
      }
  return cells;
}

async function* from(inputs: readonly RecountInput[]): AsyncGenerator<RecountInput> {
  yield* inputs;
}

const inBatches = (all: readonly MeteredEvent[], size: number): RecountInput[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, batch) => ({
    kind: 'events',
    events: all.slice(batch * size, (batch + 1) * size),
  }));

const RUNS = 15;

describe('the recount graph', () => {
  for (const aggregation of AGGREGATIONS)
    it(`folds events of a ${aggregation} meter to the last unit as a fold by hand does, in any order and in batches of any size`, async () => {
      const engine = createBatchEngine(graphOf(ofMeter(aggregation)));
      await fc.assert(
        fc.asyncProperty(events, fc.integer({ min: 1, max: 60 }), async (drawn, size) => {
          const inputs = inputsOf(drawn);
          gathered = [];
          await engine.run(from(inBatches(inputs, size)));
          expect([...storedCells(aggregation, gathered)].sort()).to.deep.equal(
            [...expectedCells(aggregation, inputs)].sort(),
          );
        }),
        { numRuns: RUNS },
      );
    });

  it('counts how many events name each distinct value, by minute', async () => {
    const event = (id: number, v: string, offset: number): MeteredEvent => ({
      ...{
        identity: String(id).padStart(16),
        digest: fingerprintOf(String(id).padStart(16)),
        id: String(id),
        source: 's',
      },
      ...{
        type: 'use',
        subject: 'acme',
        time: DAY + offset * 60_000_000,
        data: `{"m":"m1","v":"${v}"}`,
        catalogueVersion: 1,
      },
    });
    gathered = [];
    const inputs = [event(1, 'ann', 0), event(2, 'ann', 0), event(3, 'ann', 700), event(4, 'bob', 1_439)];
    await createBatchEngine(graphOf(ofMeter('unique'))).run(from(inBatches(inputs, 3)));
    const minutes = gathered.flatMap(({ values }) =>
      values.map((each) => [...unpackMinutes(each.minutes).minutes]),
    );
    expect(minutes.sort((a, b) => b.length - a.length)).to.deep.equal([
      [
        [0, 2],
        [700, 1],
      ],
      [[1_439, 1]],
    ]);
  });

  it('tells events that pass the filter and have nothing to measure, and looks at subjects that have none', async () => {
    gathered = [];
    const broken: MeteredEvent = {
      identity: 'i'.repeat(16),
      digest: fingerprintOf('d'.repeat(16)),
      id: '1',
      source: 's',
      type: 'use',
      subject: 'acme',
      time: DAY,
      data: '{"v":"many"}',
      catalogueVersion: 1,
    };
    await createBatchEngine(graphOf(ofMeter('sum'))).run(
      from([...inBatches([broken], 1), { kind: 'subject', day: dayOf(DAY), subject: 'nobody' }]),
    );
    expect(
      gathered.map(({ subject, hours, unmeasured }) => [subject, hours.length, unmeasured]),
    ).to.deep.equal([
      ['acme', 0, 1],
      ['nobody', 0, 0],
    ]);
  });

  it('is portable: any worker can be sent it', () => {
    assertPortable(buildGraph(graphOf(ofMeter('sum'))).proto);
  });

  it('fails with the error of a step, and runs again afterwards', async () => {
    const engine = createBatchEngine(graphOf(ofMeter('sum')));
    async function* failing(): AsyncGenerator<RecountInput> {
      yield { kind: 'subject', day: dayOf(DAY), subject: 'acme' };
      throw new Error('the warehouse went away');
    }
    const failure = await engine.run(failing()).catch((error: unknown) => error);
    expect(String(failure)).to.contain('the warehouse went away');
    gathered = [];
    await engine.run(from([{ kind: 'subject', day: dayOf(DAY), subject: 'acme' }]));
    expect(gathered).to.have.length(1);
  });
});
