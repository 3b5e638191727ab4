import { expect } from 'chai';
import { createApiClient, type ApiClient } from '#pipelines/demo/api-client.ts';
import { cloudEnvironment } from '#test/support/cloud-stores.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { startServer, type ServerProcess } from '#test/support/server-process.ts';

const DAY_MS = 86_400_000;
const SOURCE = 'urn:svc:chat';
/** Long enough ago that the period is over, and within the horizon of events. */
const START_DAYS_AGO = 40;
const USED_DAYS_AGO = 35;

const daysAgo = (days: number): string =>
  new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - days * DAY_MS).toISOString();

const eventOf = (id: string, tokens: number, time: string) => ({
  specversion: '1.0',
  ...{ id, source: SOURCE, type: 'llm.request', subject: 'acme', time, data: { tokens, model: 'm1' } },
});

describe('npm start on Google Cloud emulators', function () {
  this.timeout(600_000);
  const emulators = useEmulators();
  let server: ServerProcess;
  let client: ApiClient;

  const put = (path: string, body: object) => client.send({ method: 'PUT', path: `/v1/${path}`, body });
  const post = async <Answer>(path: string, body: object = {}): Promise<Answer> =>
    (await client.send({ method: 'POST', path: `/v1/${path}`, body })).body as Answer;
  const get = async <Answer>(path: string): Promise<Answer> =>
    (await client.send({ method: 'GET', path: `/v1/${path}` })).body as Answer;
  const usedTokens = async (): Promise<string | null | undefined> => {
    const range = `from=${daysAgo(START_DAYS_AGO)}&to=${daysAgo(-1)}`;
    const { rows } = await get<{ rows: { value: string | null }[] }>(
      `usage?meter=tokens&customer=acme&${range}&window=none`,
    );
    return rows[0]?.value;
  };
  const untilUsed = (tokens: string) =>
    eventually(`${tokens} tokens are counted`, async () => (await usedTokens()) === tokens, {
      explain: () => `${server.outputText()}\n${server.errorText()}`,
    });

  before('server', async () => {
    server = startServer({ directory: 'unused', environment: cloudEnvironment(emulators) });
    const { url, secret } = await server.ready;
    client = createApiClient({ url, key: secret });
  });
  afterEach('what the server said', function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(server.errorText());
  });
  after('server', () => server?.kill());

  it('makes a development key, and says where the data lies', () => {
    expect(server.outputText())
      .to.match(/mr_live_/)
      .and.to.include('emulators: Spanner');
  });

  it('counts events once, however often they come', async () => {
    await put('meters/tokens', {
      name: 'Tokens',
      eventType: 'llm.request',
      aggregation: 'sum',
      value: 'tokens',
      dimensions: { model: 'model' },
    });
    await put('features/tokens', { name: 'Tokens', meter: 'tokens' });
    await put('sellers/default', {
      name: 'Riverbend AI, Inc.',
      address: { line1: '28 Mill Lane', city: 'New York', region: 'NY', postalCode: '10004', country: 'US' },
      taxRates: [{ code: 'sales tax', jurisdiction: 'US-NY', rate: '10' }],
      netTermDays: 30,
      numbering: { prefix: 'RB-' },
    });
    await put('customers/acme', {
      name: 'Acme',
      subjects: ['acme'],
      currency: 'USD',
      timezone: 'UTC',
    });
    const events = [
      eventOf('e-1', 1_000, daysAgo(USED_DAYS_AGO)),
      eventOf('e-2', 500, daysAgo(USED_DAYS_AGO)),
    ];
    await post('events', events);
    await post('events', events);
    await untilUsed('1500');
  });

  it('checks, reserves, settles and counts against a hard limit', async () => {
    await put('customers/acme/limits/tokens', {
      limits: [
        {
          key: 'cap',
          amount: '2000',
          period: { every: 'P12M', anchor: daysAgo(START_DAYS_AGO) },
          overage: 'hard',
        },
      ],
    });
    const standing = async () => {
      const { used, reserved, remaining } = await get<Record<string, string>>(
        'customers/acme/entitlements/tokens',
      );
      return { used, reserved, remaining };
    };
    expect(await standing()).to.deep.equal({ used: '1500', reserved: '0', remaining: '500' });
    const reserve = (id: string, amount: string) =>
      client.send(
        {
          method: 'POST',
          path: '/v1/customers/acme/reservations',
          body: { feature: 'tokens', amount, ttlSeconds: 600, event: { source: SOURCE, id } },
        },
        'quota_exceeded',
      );
    const granted = await reserve('e-3', '400');
    expect([granted.status, (await reserve('e-4', '400')).status]).to.deep.equal([201, 409]);
    expect(await standing()).to.deep.equal({ used: '1500', reserved: '400', remaining: '100' });
    await post(`reservations/${(granted.body as { id: string }).id}/settle`, { actual: '300' });
    await post('events', [eventOf('e-3', 300, daysAgo(USED_DAYS_AGO))]);
    await untilUsed('1800');
    expect(await standing()).to.deep.equal({ used: '1800', reserved: '0', remaining: '200' });
  });

  it('bills the period that is over by an invoice run, to the cent, proves it, and prints it', async () => {
    await put('plans/pay-as-you-go', { name: 'Pay as you go' });
    const { version } = await post<{ version: number }>('plans/pay-as-you-go/versions', {
      currencies: ['USD'],
      phases: [
        {
          key: 'standard',
          charges: [
            {
              key: 'tokens',
              name: 'Tokens',
              meter: 'tokens',
              price: { model: 'perUnit', unitPrice: '0.01' },
            },
          ],
        },
      ],
    });
    await post(`plans/pay-as-you-go/versions/${version}/publish`);
    const startAt = daysAgo(START_DAYS_AGO);
    await post('customers/acme/subscriptions', { plan: 'pay-as-you-go', version, startAt, anchor: startAt });
    await eventually('usage is complete', async () => {
      const { completeThrough } = await get<{ completeThrough: string | null }>('status');
      return completeThrough !== null;
    });
    const run = await post<{ id: string }>('invoice-runs');
    await eventually('the invoice run is done', async () => {
      const { state } = await get<{ state: string }>(`invoice-runs/${run.id}`);
      return state === 'done';
    });
    const { items } = await get<{ items: { id: string; state: string }[] }>('invoices');
    expect(items.map(({ state }) => state)).to.deep.equal(['issued']);
    const [{ id } = { id: '' }] = items;
    const invoice = await get<{ number: string; totals: object; lines: { quantity: string }[] }>(
      `invoices/${id}`,
    );
    expect(invoice.totals).to.deep.include({ net: '18', tax: '1.8', total: '19.8' });
    expect(invoice.lines.map(({ quantity }) => quantity)).to.deep.equal(['1800']);
    expect(invoice.number).to.match(/^RB-/);
    expect((await post<{ equal: boolean }>(`invoices/${id}/verify`)).equal).to.equal(true);
    const pdf = await client.download(`/v1/invoices/${id}`, 'application/pdf');
    expect(Buffer.from(pdf.subarray(0, 5)).toString()).to.equal('%PDF-');
  });

  it('stops in good order, with nothing left to commit', async () => {
    expect(await server.stop(), server.errorText()).to.deep.equal({ code: 0, signal: null });
  });
});
