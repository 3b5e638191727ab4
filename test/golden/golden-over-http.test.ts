import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { systemScheduler } from '#infra/scheduler.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';
import { withApi, type TestApi } from '#test/support/api-server.ts';
import { contracts } from './contracts.ts';
import { fileNameOf, withNames } from './golden-text.ts';
import { stageOn, type Stage } from './play-contract.ts';
import { playOverHttp } from './play-over-http.ts';

/** One of each kind: the others differ from what `golden.test.ts` sees in nothing that the API does. */
const FOLDERS = ['llm-api', 'one-off', 'parent-pays', 'seats-and-usage', 'storage'];

describe('golden invoices over HTTP', () => {
  for (const folder of FOLDERS)
    it(`of ${folder} are those that are kept, as JSON and as files, and are proved by their events`, async () => {
      const contract = contracts.get(folder);
      if (contract === undefined) throw new RangeError(`there is no contract ${folder}`);
      const clock = { now: instant(contract.startsAt) };
      const scheduler = { ...systemScheduler, now: () => clock.now };
      await withApi(
        async (on) => {
          const stage = stageOn(on.stores, clock);
          await playOverHttp(on, stage, contract);
          const heads = await headsOf(on);
          expect(heads).to.have.length(contract.invoices.length);
          for (const [place, { id }] of heads.entries()) {
            const url = new URL(`${folder}/${fileNameOf(place)}`, import.meta.url);
            const { contentHash: _, ...kept } = JSON.parse(await readFile(url, 'utf8')) as Document;
            expect(await invoiceOf(on, stage, { id, heads })).to.deep.equal(kept);
            await expectFiles(on, id);
            const { body } = await on.call({ method: 'POST', path: `/v1/invoices/${id}/verify` });
            expect(body).to.deep.include({ equal: true });
          }
        },
        { scheduler },
      );
    });
});

type Document = Readonly<Record<string, unknown>>;
interface Head {
  readonly id: string;
  readonly number: string;
}

/** The oldest first. */
async function headsOf(on: TestApi): Promise<Head[]> {
  const { body } = await on.call({ path: '/v1/invoices' });
  return (body as { items: Head[] }).items.toReversed();
}

/** As it is kept, but for the hash of what it says: the ids of subscriptions are others here. */
async function invoiceOf(
  on: TestApi,
  { subscriptions }: Stage,
  { id, heads }: { readonly id: string; readonly heads: readonly Head[] },
): Promise<Document> {
  const answer = await on.call({ path: `/v1/invoices/${id}` });
  const names = new Map([
    ...[...subscriptions].map(([name, subscription]) => [subscription, name] as const),
    ...heads.map((head) => [head.id, head.number] as const),
  ]);
  const document = JSON.parse(withNames(answer.text, names)) as Document;
  const { run: _, inputsHash: __, contentHash: ___, lateUsage, ...rest } = document;
  expect(lateUsage).to.deep.equal([]);
  return rest;
}

/** How files of each media type begin. */
const BEGINNINGS: Readonly<Record<string, RegExp>> = {
  'application/pdf': /^%PDF-1\.\d\n/,
  'text/csv': /^[A-Za-z]+(?:,[A-Za-z ]+)+\r?\n/,
};

/** An invoice as a file, of every media type that the API says it has: the same bytes each time. */
async function expectFiles(on: TestApi, id: string): Promise<void> {
  const types = await printedTypes(on);
  expect(types).to.include('application/pdf');
  for (const type of types) {
    const get = () => on.call({ path: `/v1/invoices/${id}`, headers: { Accept: type } });
    const [file, again] = [await get(), await get()];
    expect(file.status, file.text).to.equal(200);
    expect(file.headers.get('content-type')).to.match(new RegExp(`^${type}`));
    expect(file.text).to.match(BEGINNINGS[type] ?? /^$/);
    expect(again.text).to.equal(file.text);
  }
}

async function printedTypes(on: TestApi): Promise<string[]> {
  const { body } = await on.call({ path: '/openapi.json' });
  const { paths } = body as { paths: Readonly<Record<string, { get: Operation }>> };
  const { content } = paths['/v1/invoices/{id}']?.get.responses['200'] ?? { content: {} };
  return Object.keys(content).filter((type) => type !== 'application/json');
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content: object }>>;
}
