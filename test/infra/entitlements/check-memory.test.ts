import { expect } from 'chai';
import fc from 'fast-check';
import type { LimitDefinition } from '#domain/entitlements/limit.ts';
import { MICROS_PER_DAY, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { archiveFeature } from '#infra/catalogue/features.ts';
import type { Database, Snapshot } from '#infra/database/database.ts';
import type { EntitlementAnswer } from '#infra/entitlements/check-entitlements.ts';
import { createChecks } from '#infra/entitlements/create-checks.ts';
import { watermark } from '#infra/usage/tables.ts';
import { withDirectory } from '#test/infra/database/sqlite/temporary.ts';
import { NAMESPACE, NOON } from '#test/infra/usage/usage-fixture.ts';
import { eachDriver, onBothDrivers } from '#test/support/both-drivers.ts';
import { check, granted, limit, monthly, prepare, reserve, run, TABLES, use } from './quota-fixture.ts';

/** Each step commits something that answers depend on, or lets time pass. */
type Step =
  | { readonly kind: 'use'; readonly v: string }
  | { readonly kind: 'reserve' }
  | { readonly kind: 'limit'; readonly limits: readonly LimitDefinition[] }
  | { readonly kind: 'report' }
  | { readonly kind: 'archive' }
  | { readonly kind: 'wait'; readonly micros: number };

const limits = fc.constantFrom<LimitDefinition[][]>(
  [monthly('5')],
  [monthly('7', { period: { every: 'PT1M' } })],
  [monthly('5'), monthly('3', { key: 'recent', period: { rolling: 'PT1H' } })],
  [monthly('4'), monthly('2', { key: 'soft', overage: 'soft' })],
);

const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('use' as const), v: fc.constantFrom('1', '0.5') }),
    },
    fc.record({ kind: fc.constant('reserve' as const) }),
    fc.record({ kind: fc.constant('limit' as const), limits }),
    fc.record({ kind: fc.constant('report' as const) }),
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        micros: fc.constantFrom(1, MICROS_PER_MINUTE, 40 * MICROS_PER_MINUTE, 31 * MICROS_PER_DAY),
      }),
    },
    fc.record({ kind: fc.constant('archive' as const) }),
  ),
  { minLength: 5, maxLength: 12 },
);

/** Returns the time that it is afterwards. */
async function take(database: Database, step: Step, { id, now }: { id: string; now: number }) {
  if (step.kind === 'wait') return now + step.micros;
  if (step.kind === 'use') await use(database, { id, data: { v: step.v } });
  else if (step.kind === 'reserve') await reserve(database, { id, now });
  else if (step.kind === 'limit') await limit(database, step.limits, { now });
  else if (step.kind === 'archive')
    await run(database, (tx) => archiveFeature(tx, { namespace: NAMESPACE, key: 'calls', now }));
  else {
    const row = { feed: 'f', worker: 'w', namespace: NAMESPACE, heartbeatAt: now, latenessMicros: 10 };
    await run(database, async (tx) => tx.upsert(watermark, { ...row, committedThrough: now }));
  }
  return now;
}

const ASKED = [{}, { amount: '2' }, { feature: 'calls' }, { customer: 'bolt' }, { customer: 'nobody' }];

/** The same database, whose snapshots count the calls that read from them. */
function countingReads(database: Database): { readonly database: Database; reads: number } {
  const counted = {
    reads: 0,
    database: {
      ...database,
      snapshot: async (): Promise<Snapshot> => {
        const snapshot = await database.snapshot();
        return {
          ...snapshot,
          read: (...asked) => {
            counted.reads++;
            return snapshot.read(...asked);
          },
          scan: (...asked) => {
            counted.reads++;
            return snapshot.scan(...asked);
          },
        };
      },
    } satisfies Database,
  };
  return counted;
}

describe('what checks remember', () => {
  for (const [driver, open] of Object.entries(eachDriver()))
    it(`answers as if all were read anew, whatever is committed and however time passes, on the ${driver} driver`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (taken) => {
          const { database, close } = await open(TABLES);
          try {
            await prepare(database);
            await limit(database, [monthly('5')]);
            let now = NOON;
            const checks = createChecks({ database, clock: () => now });
            for (const [index, step] of taken.entries()) {
              now = await take(database, step, { id: `e-${index}`, now });
              const asked = { customer: 'acme', feature: 'tokens' };
              const answers = await Promise.all(
                [...ASKED, ...ASKED].map((said) => checks.check(NAMESPACE, { ...asked, ...said })),
              );
              const anew: EntitlementAnswer[] = [];
              for (const said of [...ASKED, ...ASKED]) anew.push(await check(database, said, now));
              expect(answers).to.deep.equal(anew);
            }
          } finally {
            await close();
          }
        }),
        { numRuns: 25 },
      );
    });

  onBothDrivers(TABLES, (it) => {
    it('is not read again as long as nothing is committed, and at once when something is', async (database) => {
      await prepare(database);
      await limit(database, [monthly('5')]);
      const counted = countingReads(database);
      const checks = createChecks({ database: counted.database, clock: () => NOON });
      const remaining = async () =>
        (await checks.check(NAMESPACE, { customer: 'acme', feature: 'tokens' })).remaining;
      expect(await remaining()).to.equal('5');
      const { reads } = counted;
      expect(reads).to.be.greaterThan(0);
      expect(await remaining()).to.equal('5');
      expect(counted.reads).to.equal(reads);
      await granted(database, { amount: '2' });
      expect(await remaining()).to.equal('3');
      expect(counted.reads).to.be.greaterThan(reads);
    });
  });

  it(
    'gives way at once to what another process commits',
    withDirectory(async (open) => {
      const [ours, others] = [open({ tables: TABLES }), open({ tables: TABLES })];
      await prepare(others);
      await limit(others, [monthly('5')]);
      const checks = createChecks({ database: ours, clock: () => NOON });
      const remaining = async () =>
        (await checks.check(NAMESPACE, { customer: 'acme', feature: 'tokens' })).remaining;
      for (let used = 0; used < 4; used++) {
        expect([await remaining(), await remaining()]).to.deep.equal([`${5 - used}`, `${5 - used}`]);
        await use(others, { id: `e-${used}`, data: { v: '1' } });
      }
    }),
  );
});
