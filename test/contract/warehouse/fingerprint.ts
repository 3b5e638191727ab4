import { expect } from 'chai';
import { MICROS_PER_HOUR } from '#domain/instant.ts';
import {
  addFingerprint,
  emptyFingerprint,
  fingerprintOf,
  fingerprintToHash,
} from '#domain/metering/fingerprint.ts';
import { identityOf } from '#domain/metering/identity.ts';
import { fromHex, toHex } from '#domain/metering/hash128.ts';
import type { WithWarehouse } from './suite.ts';
import { ask, eventRow, NOON } from './rows.ts';

/** The three digests of the contract, whose sum modulo 2^128 is below. */
const DIGESTS = [
  '6a6e7b0e1abd337f1524c26308cafb1e',
  'bc9a6dd94d7e76a69b639bbc7d3fc0dc',
  '71190f15a7080902e1d153ad28448130',
];
const SUM = '9821f7fd0f43b3289259b1ccae4f3d2a';

export function fingerprintContract(withWarehouse: WithWarehouse): void {
  describe('fingerprints', () => {
    it(
      'are the sum of the digests modulo 2^128, each event once',
      withWarehouse(async (warehouse) => {
        const rows = DIGESTS.map((digest, index) =>
          eventRow(`f-${index}`, { digest: fromHex(digest), time: NOON + index * MICROS_PER_HOUR }),
        );
        await warehouse.appendEvents([...rows, ...rows]);
        const start = '2026-03-01T00:00:00Z';
        const whole = {
          subject: 'acme',
          meter: 'tokens@1',
          window_start: start,
          events: 3,
          fingerprint: SUM,
        };
        expect(await ask(warehouse, 'fingerprints')).to.deep.equal([whole]);
        expect(await ask(warehouse, 'fingerprints', { meter: 'tokens@1' })).to.deep.equal([whole]);
        const hours = await ask(warehouse, 'fingerprints', { window: 'hour' });
        expect(hours.map(({ window_start, fingerprint }) => [window_start, fingerprint])).to.deep.equal([
          ['2026-03-01T12:00:00Z', DIGESTS[0]],
          ['2026-03-01T13:00:00Z', DIGESTS[1]],
          ['2026-03-01T14:00:00Z', DIGESTS[2]],
        ]);
      }),
    );

    it(
      'are those that the cells keep, by subject and meter',
      withWarehouse(async (warehouse) => {
        const expected = new Map<string, ReturnType<typeof emptyFingerprint>>();
        const rows = Array.from({ length: 500 }, (_, index) => {
          const digest = identityOf('fingerprint', '', String(index));
          const subject = `s-${index % 3}`;
          const meters = ['a@1', 'b@2'].filter((_, meter) => (index >> meter) % 4 !== 0);
          for (const meter of meters) {
            const sum = expected.get(`${subject} ${meter}`) ?? emptyFingerprint();
            addFingerprint(sum, fingerprintOf(digest));
            expected.set(`${subject} ${meter}`, sum);
          }
          return eventRow(`r-${index}`, { digest, subject, matchedMeters: meters });
        });
        await warehouse.appendEvents(rows);
        const found = await ask(warehouse, 'fingerprints');
        expect(
          found.map(({ subject, meter, fingerprint }) => [
            `${String(subject)} ${String(meter)}`,
            fingerprint,
          ]),
        ).to.deep.equal([...expected].map(([key, sum]) => [key, toHex(fingerprintToHash(sum))]).toSorted());
      }),
    );
  });
}
