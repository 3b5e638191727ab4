import type { OpenedDatabase } from '#test/contract/database/support.ts';
import { keepUsageIn } from '#test/infra/usage/usage-fixture.ts';
import { onAnotherDriver } from '#test/support/both-drivers.ts';
import { suitesOf } from '#test/support/declared-again.ts';
import { useEmulators, type SuiteEmulators } from '#test/support/emulators.ts';
import { mirrored } from '#test/support/mirrored-database.ts';
import { openTemporarySpanner } from '#test/support/spanner-database.ts';

/*
 * The tests of the repositories, again: what they say of the embedded and the hostile driver holds of Spanner.
 */

let emulators: SuiteEmulators;
const opened: OpenedDatabase[] = [];

onAnotherDriver('Spanner', (tables) => openTemporarySpanner(emulators, tables));
keepUsageIn(async (tables) => {
  const each = await openTemporarySpanner(emulators, tables);
  opened.push(each);
  return mirrored(each.database);
});

const declare = await suitesOf(async () => {
  await import('#test/infra/access/api-keys.test.ts');
  await import('#test/infra/catalogue/event-types.test.ts');
  await import('#test/infra/catalogue/meter-life.test.ts');
  await import('#test/infra/customers/customers.test.ts');
  await import('#test/infra/sellers/sellers.test.ts');
  await import('#test/infra/entitlements/checks.test.ts');
  await import('#test/infra/entitlements/limits.test.ts');
  await import('#test/infra/entitlements/reservations.test.ts');
  await import('#test/infra/idempotency/idempotency.test.ts');
  await import('#test/infra/plans/plans.test.ts');
  await import('#test/infra/subscriptions/subscriptions.test.ts');
  await import('#test/infra/subscriptions/what-subscriptions-hold.test.ts');
  await import('#test/infra/subscriptions/migrate-subscriptions.test.ts');
  await import('#test/infra/invoicing/collect-invoices.test.ts');
  await import('#test/infra/usage/amend-event.test.ts');
  await import('#test/infra/usage/commit.test.ts');
  await import('#test/infra/usage/commit-namespaces.test.ts');
  await import('#test/infra/usage/dead-letters.test.ts');
  await import('#test/infra/usage/read-usage.test.ts');
  await import('#test/infra/usage/roll-days.test.ts');
  await import('#test/infra/usage/void-event.test.ts');
  await import('#test/infra/usage/watermark.test.ts');
});

describe('the repositories on the Spanner emulator', () => {
  emulators = useEmulators(['spanner']);
  afterEach(async () => {
    for (const { close } of opened.splice(0)) await close();
  });
  declare();
});
