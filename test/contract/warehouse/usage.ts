import { expect } from 'chai';
import fc from 'fast-check';
import { MICROS_PER_HOUR } from '#domain/instant.ts';
import { fromScaled, toDecimalString } from '#domain/metering/quantity.ts';
import { QueryFailed } from '#infra/warehouse/errors.ts';
import type { EventRow } from '#infra/warehouse/event-row.ts';
import type { WithWarehouse } from './suite.ts';
import { at, eventRow, failureOf, NOON, total, usage } from './rows.ts';

const SCALE = 10n ** 18n;
/** 20 digits and 18 decimals. */
const largest = 10n ** 38n - 1n;

const ofValue = (id: string | number, tokens: string, given: Partial<EventRow> = {}): EventRow =>
  eventRow(`v-${id}`, { data: `{"tokens":${tokens}}`, ...given });

/** A value's text as a number or as a decimal string. */
const decimal = fc
  .tuple(fc.bigInt({ min: -largest, max: largest }), fc.nat(18), fc.boolean())
  .map(([digits, drop, quoted]) => {
    const scaled = (digits / 10n ** BigInt(2 * drop)) * 10n ** BigInt(drop);
    const text = toDecimalString(fromScaled(scaled));
    return { scaled, text: quoted ? `"${text}"` : text };
  });

export function usageContract(withWarehouse: WithWarehouse): void {
  describe('usage', () => {
    it(
      'of 20 digits and 18 decimals loses none, as a number or as a decimal string',
      withWarehouse(async (warehouse) => {
        const big = '99999999999999999999.999999999999999999';
        const subjects: Record<string, [string[], string]> = {
          number: [[big], big],
          string: [[`"${big}"`], big],
          twice: [[big, `"${big}"`], '199999999999999999999.999999999999999998'],
          negative: [[`-${big}`, '0.000000000000000001'], '-99999999999999999999.999999999999999998'],
          cancels: [[big, `"-${big}"`], '0'],
          smallest: [['0.000000000000000001', '"-0.000000000000000003"'], '-0.000000000000000002'],
          doubles: [['0.1', '0.2', '0.30000000000000004'], '0.60000000000000004'],
          safe: [['9007199254740993', '1'], '9007199254740994'],
          exponent: [['"1.5e3"', '"25E-2"', '"1e-18"'], '1500.250000000000000001'],
          zeros: [['"000000000000000000000000000012.50000000000000000000000000"', '"-0"', '0'], '12.5'],
        };
        const rows = Object.entries(subjects).flatMap(([subject, [values]]) =>
          values.map((value, index) => ofValue(`${subject}-${index}`, value, { subject })),
        );
        await warehouse.appendEvents(rows);
        const sums = await usage(warehouse, { bySubject: true });
        const expected = Object.entries(subjects).map(([subject, [, sum]]) => [subject, sum]);
        expect(sums.map(({ subject, value }) => [subject, value])).to.deep.equal(expected.toSorted());
      }),
    );

    it(
      'agrees with exact arithmetic on any values',
      withWarehouse(async (warehouse) => {
        let run = 0;
        const property = fc.asyncProperty(
          fc.array(decimal, { minLength: 1, maxLength: 40 }),
          async (values) => {
            const subject = `run-${run++}`;
            await warehouse.appendEvents(
              values.map(({ text }, index) => ofValue(`${subject}-${index}`, text, { subject })),
            );
            const scaled = values.map((value) => value.scaled);
            const plain = (value: bigint): string => toDecimalString(fromScaled(value));
            const ask = (aggregation: string): Promise<unknown> =>
              total(warehouse, { aggregation, subjects: [subject] });
            expect(await ask('sum')).to.equal(plain(scaled.reduce((sum, value) => sum + value, 0n)));
            expect(await ask('min')).to.equal(plain(scaled.reduce((a, b) => (a < b ? a : b))));
            expect(await ask('max')).to.equal(plain(scaled.reduce((a, b) => (a > b ? a : b))));
          },
        );
        await fc.assert(property, { numRuns: 15 });
      }),
    );

    it(
      'of many of the largest values goes beyond 20 digits without losing one',
      withWarehouse(async (warehouse) => {
        const count = 2_000;
        await warehouse.appendEvents(
          Array.from({ length: count }, (_, index) => ofValue(index, toDecimalString(largest))),
        );
        expect(await total(warehouse)).to.equal(toDecimalString(largest * BigInt(count)));
        expect(await total(warehouse, { aggregation: 'count' })).to.equal(String(count));
      }),
    );

    it(
      'is an error and no wrong answer where a value is none',
      withWarehouse(async (warehouse) => {
        await warehouse.appendEvents([
          ofValue(1, '"many"', { subject: 'text' }),
          ofValue(2, '1e0', { subject: 'fine' }),
        ]);
        await warehouse.appendEvents([ofValue(3, `1${'0'.repeat(20)}`, { subject: 'long' })]);
        await warehouse.appendEvents([eventRow('v-4', { data: '{"other":1}', subject: 'missing' })]);
        for (const subject of ['text', 'long', 'missing']) {
          expect(await failureOf(total(warehouse, { subjects: [subject] })), subject).to.be.instanceOf(
            QueryFailed,
          );
        }
        expect(await total(warehouse, { subjects: ['fine'] })).to.equal('1');
      }),
    );

    it(
      'by aggregation: count, sum, min, max, average as sum and count, unique, latest',
      withWarehouse(async (warehouse) => {
        const values = ['3', '"3"', '-1.5', '7.25', '7.250'];
        await warehouse.appendEvents(
          values.map((value, index) => ofValue(index, value, { time: NOON + index })),
        );
        const of = async (aggregation: string): Promise<unknown[]> => {
          const [row] = await usage(warehouse, { aggregation });
          return [row?.['events'], row?.['value']];
        };
        expect(await of('count')).to.deep.equal([5, '5']);
        expect(await of('sum')).to.deep.equal([5, '19']);
        expect(await of('average')).to.deep.equal([5, '19']);
        expect(await of('min')).to.deep.equal([5, '-1.5']);
        expect(await of('max')).to.deep.equal([5, '7.25']);
        expect(await of('latest')).to.deep.equal([5, '7.25']);
      }),
    );

    it(
      'counts distinct values by their text: strings, numbers and booleans',
      withWarehouse(async (warehouse) => {
        const values = [
          '"ü"',
          '"ü"',
          '"1"',
          '1',
          'true',
          '"true"',
          '0.00000001',
          '"0.00000001"',
          '""',
          '12345678901234567890.5',
        ];
        await warehouse.appendEvents(values.map((value, index) => ofValue(index, value)));
        expect(await total(warehouse, { aggregation: 'unique' })).to.equal('6');
      }),
    );

    it(
      'of the latest is that of the greatest (time, identity)',
      withWarehouse(async (warehouse) => {
        const rows = Array.from({ length: 50 }, (_, index) =>
          ofValue(index, String(index), { time: NOON + (index % 2) }),
        );
        await warehouse.appendEvents(rows);
        const [last] = rows.toSorted((a, b) => b.time - a.time || (a.identity < b.identity ? 1 : -1));
        expect(`{"tokens":${String(await total(warehouse, { aggregation: 'latest' }))}}`).to.equal(
          last?.data,
        );
      }),
    );

    it(
      'by minute, hour and day has a row for each window with usage, in UTC',
      withWarehouse(async (warehouse) => {
        const times = ['11:59:59.999999', '12:00:00', '12:00:59.999999', '12:01:00', '23:59:59.999999'];
        const rows = times.map((time, index) =>
          ofValue(index, `${2 ** index}`, {
            time:
              NOON +
              Date.parse(`2026-03-01T${time.slice(0, 8)}Z`) * 1_000 -
              NOON +
              (time.length > 8 ? 999_999 : 0),
          }),
        );
        await warehouse.appendEvents(rows);
        const windows = async (window: string): Promise<unknown[]> =>
          (await usage(warehouse, { window })).map(({ window_start, value }) => [
            String(window_start).slice(11),
            value,
          ]);
        expect(await windows('minute')).to.deep.equal([
          ['11:59:00Z', '1'],
          ['12:00:00Z', '6'],
          ['12:01:00Z', '8'],
          ['23:59:00Z', '16'],
        ]);
        expect(await windows('hour')).to.deep.equal([
          ['11:00:00Z', '1'],
          ['12:00:00Z', '14'],
          ['23:00:00Z', '16'],
        ]);
        expect(await windows('day')).to.deep.equal([['00:00:00Z', '31']]);
      }),
    );

    it(
      'is cut to the range, the end excluded',
      withWarehouse(async (warehouse) => {
        const times = [NOON - 1, NOON, NOON + MICROS_PER_HOUR - 1, NOON + MICROS_PER_HOUR];
        await warehouse.appendEvents(times.map((time, index) => ofValue(index, `${10 ** index}`, { time })));
        const range = { from: at(NOON), to: at(NOON + MICROS_PER_HOUR) };
        expect(await total(warehouse, range)).to.equal('110');
      }),
    );

    it(
      'by dimension names what is missing by the empty string and any other value by its text',
      withWarehouse(async (warehouse) => {
        const data = [
          '{"model":"m1","tokens":1}',
          '{"model":"m1","region":{"name":"Zürich"},"tokens":2}',
          '{"model":null,"tokens":4}',
          '{"tokens":8}',
          '{"model":"","tokens":16}',
          '{"model":1.5,"tokens":32}',
          '{"model":true,"tokens":64}',
          '{"model":"m1","tokens":128,"x":0.12345678901234567}',
          '{"model":0.00000001,"tokens":256}',
          '{"model":["a",12345678901234567890.25],"tokens":512}',
        ];
        await warehouse.appendEvents(data.map((text, index) => eventRow(`d-${index}`, { data: text })));
        const rows = await usage(warehouse, { dimensions: ['model', 'region.name'] });
        expect(rows.map(({ dimensions, value }) => [dimensions, value])).to.deep.equal([
          [['', ''], '28'],
          [['0.00000001', ''], '256'],
          [['1.5', ''], '32'],
          [['["a",12345678901234567890.25]', ''], '512'],
          [['m1', ''], '129'],
          [['m1', 'Zürich'], '2'],
          [['true', ''], '64'],
        ]);
      }),
    );

    it(
      'is of one meter, of some subjects, of one type',
      withWarehouse(async (warehouse) => {
        await warehouse.appendEvents([
          ofValue(1, '1', { subject: 'a', matchedMeters: ['tokens@1'] }),
          ofValue(2, '2', { subject: 'b', matchedMeters: ['tokens@1', 'other@1'] }),
          ofValue(3, '4', { subject: 'c', matchedMeters: ['tokens@11', 'xtokens@1'] }),
          ofValue(4, '8', { subject: 'b', matchedMeters: [] }),
          ofValue(5, '16', { subject: 'c', type: 'other' }),
        ]);
        expect(await total(warehouse)).to.equal('19');
        expect(await total(warehouse, { meter: 'other@1' })).to.equal('2');
        expect(await total(warehouse, { subjects: ['a', 'c'] })).to.equal('17');
        expect(await total(warehouse, { subjects: ['a', 'c'], type: 'other' })).to.equal('16');
        expect(await total(warehouse, { meter: null })).to.equal('31');
      }),
    );

    it(
      'is read at the path and nowhere else, whatever the strings around it hold',
      withWarehouse(async (warehouse) => {
        const data = [
          '{"a":"\\"tokens\\":5,","tokens":1.00000000000000001}',
          '{"a":{"tokens":7},"b":"\\\\","tokens":2}',
          '{"a":["tokens",9],"b":"1234567890123456789012.5","tokens":"4"}',
        ];
        await warehouse.appendEvents(data.map((text, index) => eventRow(`p-${index}`, { data: text })));
        expect(await total(warehouse)).to.equal('7.00000000000000001');
        const odd = eventRow('p-odd', {
          subject: 'odd',
          data: `{"it's \\"a\\\\ [0]$":{"b*":${toDecimalString(SCALE / 3n)}}}`,
        });
        await warehouse.appendEvents([odd]);
        expect(await total(warehouse, { subjects: ['odd'], value: `it's "a\\ [0]$.b*` })).to.equal(
          '0.333333333333333333',
        );
      }),
    );
  });
}
