import { expect } from 'chai';
import { setImmediate } from 'node:timers';
import { afterChecks, createChecks } from '#infra/entitlements/create-checks.ts';
import { createReservations } from '#infra/entitlements/create-reservations.ts';
import { withDirectory } from '#test/infra/database/sqlite/temporary.ts';
import { NAMESPACE, NOON, SOURCE } from '#test/infra/usage/usage-fixture.ts';
import { limit, monthly, prepare, TABLES } from './quota-fixture.ts';

describe('checks and reservations of one turn of the event loop', () => {
  it(
    'are answered in this order, whichever was asked for first',
    withDirectory(async (open) => {
      const database = open({ tables: TABLES });
      await prepare(database);
      await limit(database, [monthly('10')]);
      const checks = createChecks({ database, clock: () => NOON });
      const reservations = createReservations({ database, clock: () => NOON, pause: afterChecks });
      const answered: string[] = [];
      const check = async (): Promise<void> => {
        const { remaining } = await checks.check(NAMESPACE, { customer: 'acme', feature: 'tokens' });
        answered.push(`${String(remaining)} remain`);
      };
      const reserve = async (): Promise<void> => {
        const asked = { namespace: NAMESPACE, customer: 'acme', feature: 'tokens', amount: '4' };
        await reservations.reserve({ ...asked, ttlSeconds: 60, event: { source: SOURCE, id: 'e' } });
        answered.push('reserved');
      };
      await new Promise<void>((resolve, reject) => {
        setImmediate(() => {
          Promise.all([reserve(), check(), check()]).then(() => resolve(), reject);
        });
      });
      await check();
      expect(answered).to.deep.equal(['10 remain', '10 remain', 'reserved', '6 remain']);
    }),
  );
});
