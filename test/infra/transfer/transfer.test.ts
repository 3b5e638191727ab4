import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import type { LimitDefinition } from '#domain/entitlements/limit.ts';
import { activateMeter } from '#infra/catalogue/activate-meter.ts';
import { archiveFeature, listFeatures, putFeature } from '#infra/catalogue/features.ts';
import { listEventTypes, putEventType } from '#infra/catalogue/event-types.ts';
import { readMeterVersions } from '#infra/catalogue/load-catalogue.ts';
import { archiveCustomer } from '#infra/customers/archive-customer.ts';
import { moveSubject } from '#infra/customers/move-subject.ts';
import { putCustomer } from '#infra/customers/put-customer.ts';
import { customer, customerSubject } from '#infra/customers/tables.ts';
import type { Transaction } from '#infra/database/database.ts';
import { checkEntitlements } from '#infra/entitlements/check-entitlements.ts';
import { putLimits } from '#infra/entitlements/put-limits.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { archiveSeller, putSeller } from '#infra/sellers/put-seller.ts';
import type { SellerDefinition } from '#infra/sellers/seller-definition.ts';
import { seller } from '#infra/sellers/tables.ts';
import { subject } from '#infra/usage/tables.ts';
import { voidEvent } from '#infra/usage/void-event.ts';
import {
  drained,
  inLocalDirectory,
  NAMESPACE,
  openStores,
  saveMeters,
  type Cleanup,
} from '#test/support/local-stores.ts';
import { startPipeline } from '#test/support/pipeline-process.ts';
import { REFERENCE_METERS } from '#test/support/reference-meters.ts';
import { planUsage, type Plan } from '#test/support/reference-plan.ts';
import { seededRandom } from '#test/support/seeded-random.ts';
import { expectSameUsage, exportTo, importFrom, type UsageRange } from './moved-namespace.ts';

const OTHER = 'other';
const EVENTS = 700;
const now = systemScheduler.now();

interface Source {
  readonly stores: LocalStores;
  readonly directory: string;
  readonly plan: Plan;
  readonly range: UsageRange;
  change(work: (tx: Transaction) => Promise<unknown>): Promise<void>;
}

/** Which of two events of one subject and moment is the latest is decided by their identities, and those are others elsewhere. */
function withoutTies(plan: Plan): Plan {
  const taken = new Set<string>();
  const events = plan.events.filter(({ contents }) => {
    const moments = contents.map(({ subject: whose, time }) => `${whose} ${time}`);
    const free = moments.every((moment) => !taken.has(moment));
    for (const moment of moments) taken.add(moment);
    return free;
  });
  const kept = new Set(events.map(({ identity }) => identity));
  const messages = plan.messages.filter(({ identity }) => identity === undefined || kept.has(identity));
  return { ...plan, events, messages };
}

/** A namespace that has lived: meters came, changed and went while events were counted. */
async function livedNamespace(directory: string, cleanup: Cleanup): Promise<Source> {
  const stores = await openStores(directory);
  cleanup.defer(() => stores.close());
  const pipeline = startPipeline({ directory, worker: 'counts' });
  cleanup.defer(() => pipeline.kill());
  const plan = withoutTies(planUsage(seededRandom(7), now, { events: EVENTS }));
  const change: Source['change'] = async (work) => void (await stores.database.transact(work));
  const publish = async (from: number, to: number): Promise<void> => {
    const size = plan.messages.length;
    const part = plan.messages.slice(Math.floor(from * size), Math.floor(to * size));
    await stores.topic.publish(part.map(({ text }) => ({ data: Buffer.from(text) })));
    await drained(stores, pipeline.errorText);
  };
  const { storage, users, ...first } = REFERENCE_METERS as Record<string, (typeof REFERENCE_METERS)[string]>;
  await publish(0, 0.1);
  await saveMeters(stores, first);
  await publish(0.1, 0.4);
  await saveMeters(stores, {
    storage: storage!,
    users: users!,
    tokens: { ...REFERENCE_METERS['tokens']!, value: 'latency' },
  });
  await publish(0.4, 0.7);
  await change((tx) => activateMeter(tx, { namespace: NAMESPACE, key: 'tokens', version: 2, now }));
  await publish(0.7, 1);
  const [voided] = plan.events;
  const { source, id } = voided!.contents[0]!;
  await voidEvent({ ...stores, slot: 0, clock: systemScheduler.now }, { namespace: NAMESPACE, source, id });
  const subjects = [...new Set(plan.events.flatMap(({ contents }) => contents.map((each) => each.subject)))];
  return { stores, directory, plan, change, range: { from: plan.from, to: plan.to, subjects } };
}

const HARD: LimitDefinition[] = [
  {
    key: 'monthly',
    amount: '100000000',
    period: { every: 'P1M', timezone: 'Europe/Vienna' },
    overage: 'hard',
  },
  {
    key: 'anchored',
    amount: '7',
    period: { every: 'P1M', anchor: now - 40 * MICROS_PER_DAY },
    overage: 'soft',
  },
  { key: 'burst', amount: '5000', period: { rolling: 'PT5H' }, overage: 'metered' },
];

const SELLER: SellerDefinition = {
  name: 'Millrace GmbH',
  address: { line1: 'Torstraße 1', line2: 'Hof 2', city: 'Berlin', postalCode: '10119', country: 'DE' },
  ids: [{ scheme: 'vat', id: 'DE123456789' }],
  email: 'billing@millrace.example',
  prices: 'inclusive',
  taxRates: [{ code: 'vat', jurisdiction: 'DE', rate: '0', exemption: 'reverse_charge' }],
  netTermDays: 14,
  paymentInstructions: 'IBAN DE00\nReference: the number',
  numbering: { prefix: 'MR/', timezone: 'Europe/Berlin' },
};

/** Sellers, customers with children and a history, features and limits of all kinds, event types. */
async function addCustomers({ change }: Source): Promise<void> {
  const put = (key: string, more: object): Promise<void> =>
    change((tx) => putCustomer(tx, { namespace: NAMESPACE, key, customer: { name: key, ...more }, now }));
  await change((tx) => putSeller(tx, { namespace: NAMESPACE, key: 'gmbh', seller: SELLER, now }));
  await change((tx) =>
    putSeller(tx, { namespace: NAMESPACE, key: 'closed', seller: { name: 'Closed' }, now }),
  );
  await put('a-parent', {
    subjects: ['acme'],
    currency: 'EUR',
    metadata: { tier: 'gold' },
    seller: 'gmbh',
    address: { line1: 'Rue du Rhône 1', city: 'Genève', country: 'CH' },
    taxId: 'CHE-123.456.789',
    taxIds: [{ scheme: 'gln', id: '7601234567890' }],
    taxRates: [{ code: 'vat', jurisdiction: 'CH', rate: '8.1' }],
    netTermDays: 0,
    purchaseOrder: 'PO 7',
    billingAnchor: now,
  });
  await put('b-anchored', { seller: 'closed', taxRates: [], billingAnchor: { day: 31, month: 2 } });
  await put('c-anchored', { seller: 'default', billingAnchor: { weekday: 3 } });
  await change((tx) => archiveSeller(tx, { namespace: NAMESPACE, key: 'closed', now }));
  await put('a-child', { subjects: ['globex', 'Zürich/7'], parent: 'a-parent', timezone: 'Europe/Zurich' });
  await put('gone', { subjects: ['initech'], parent: 'a-child' });
  await change((tx) =>
    moveSubject(tx, {
      namespace: NAMESPACE,
      subject: 'globex',
      to: 'a-parent',
      from: now - MICROS_PER_DAY,
      now,
    }),
  );
  await change((tx) => archiveCustomer(tx, { namespace: NAMESPACE, key: 'gone', now }));
  for (const [key, meter] of Object.entries({ calls: 'requests', old: 'cost', seats: null }))
    await change((tx) => putFeature(tx, { namespace: NAMESPACE, key, name: key, meter, now }));
  await change((tx) => archiveFeature(tx, { namespace: NAMESPACE, key: 'old', now }));
  await change((tx) =>
    putLimits(tx, { namespace: NAMESPACE, customer: 'a-parent', feature: 'calls', limits: HARD, now }),
  );
  const schema = { type: 'object', properties: { gb: { type: ['number', 'string'] } } };
  await change((tx) =>
    putEventType(tx, { namespace: NAMESPACE, type: 'storage.level', schema, enforce: 'reject' }),
  );
}

const rowsOf = async (
  stores: LocalStores,
  table: typeof customer | typeof customerSubject | typeof seller | typeof subject,
  namespace: string,
) =>
  (
    await Array.fromAsync(
      stores.database.scan<Record<string, unknown>>(table as never, { prefix: [namespace] }),
    )
  ).map(({ namespace: _, updatedAt: __, ...row }) => row);

/** What a namespace says beside its usage, without what another place and time must make different. */
async function saidOf(stores: LocalStores, namespace: string): Promise<object> {
  const meters = await readMeterVersions(stores.database, namespace);
  const features = await listFeatures(stores.database, namespace, { limit: 100 });
  const types = await listEventTypes(stores.database, namespace, { limit: 100 });
  const asked = { customer: 'a-parent', feature: 'calls', amount: '1' };
  const [check] = await checkEntitlements(stores.database, namespace, [asked], systemScheduler.now());
  return {
    meters: meters.map(({ key, version, generation, state, until, definition }) => [
      key,
      version,
      generation,
      state,
      until !== null,
      definition,
    ]),
    features: features.map(({ key, name, meter, archivedAt }) => [key, name, meter, archivedAt]),
    types: types.map(({ type, schema, enforce }) => [type, schema, enforce]),
    sellers: await rowsOf(stores, seller, namespace),
    customers: await rowsOf(stores, customer, namespace),
    owners: await rowsOf(stores, customerSubject, namespace),
    subjects: (await rowsOf(stores, subject, namespace)).filter(
      ({ customers }) => (customers as unknown[]).length > 0,
    ),
    check: JSON.stringify(check, (name, value: unknown) =>
      /^(?:asOf|completeThrough|from|to|resetsAt)$/.test(name) ? undefined : value,
    ),
  };
}

const eventTexts = async (path: string): Promise<string[]> =>
  [...(await readFile(path, 'utf8')).matchAll(/"publishedAt":"[^"]*"|"event":\{.*\}/g)]
    .map(([text]) => text)
    .sort();

describe('a namespace that is exported and imported under another name', () => {
  it('answers every question about usage as before, says the same, and can be exported again', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const source = await livedNamespace(directory, cleanup);
      const { stores, range } = source;
      await addCustomers(source);
      const path = await exportTo(stores, directory, NAMESPACE);
      const imported = await importFrom(stores, path, { namespace: OTHER });
      expect(imported.faults).to.deep.equal([]);
      expect(imported.counted)
        .to.equal(imported.published)
        .and.to.be.greaterThan(EVENTS / 2);
      await expectSameUsage(stores, [NAMESPACE, OTHER], range);
      expect(await saidOf(stores, OTHER)).to.deep.equal(await saidOf(stores, NAMESPACE));
      const back = await exportTo(stores, directory, OTHER);
      expect(await eventTexts(back)).to.deep.equal(await eventTexts(path));

      const again = await importFrom(stores, path, { namespace: OTHER });
      expect(again).to.include({ published: 0, counted: imported.counted, faulty: 0 });
      await expectSameUsage(stores, [NAMESPACE, OTHER], range);
    }));

  it('goes on where it was broken off, and counts the same', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const { stores, range } = await livedNamespace(directory, cleanup);
      const path = await exportTo(stores, directory, NAMESPACE);
      const { api } = stores.topics;
      for (let calls = 0; ; calls++) {
        let left = calls;
        // The last call is answered with a failure although some of it is durable, as may happen.
        const breaks: typeof api.publish = async (messages) => {
          if (left-- > 0) return api.publish(messages);
          await api.publish(messages.slice(0, messages.length / 2));
          throw new Error('broken off');
        };
        const tried = await importFrom(stores, path, {
          namespace: OTHER,
          topic: { ...api, publish: breaks },
        }).then(
          ({ faulty }) => faulty,
          (error: unknown) => String(error),
        );
        if (tried === 0) break;
        expect(tried).to.equal('Error: broken off');
      }
      await expectSameUsage(stores, [NAMESPACE, OTHER], range);
    }));
});
