import { expect } from 'chai';
import { createApiClient, type ApiClient } from '#pipelines/demo/api-client.ts';
import { cloudEnvironment } from '#test/support/cloud-stores.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { eventually } from '#test/support/eventually.ts';
import { startServer, type ServerProcess } from '#test/support/server-process.ts';

const DAY_MS = 86_400_000;
const SOURCE = 'urn:svc:chat';
/** Batch work begins in a process of its own, and asks a warehouse that is slow here. */
const PATIENCE = { patienceMs: 240_000 };
const DAYS = [3, 2, 1] as const;

const daysAgo = (days: number): string =>
  new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - days * DAY_MS).toISOString();
const RANGE = { from: daysAgo(400), to: daysAgo(-1) };

const eventOf = (id: string, tokens: number, time: string) => ({
  specversion: '1.0',
  ...{ id, source: SOURCE, type: 'llm.request', subject: 'acme', time, data: { tokens } },
});

interface Work {
  readonly id: string;
  readonly state: string;
}

describe("an operator's work on Google Cloud emulators", function () {
  this.timeout(600_000);
  const emulators = useEmulators();
  let server: ServerProcess;
  let client: ApiClient;

  const send = async <Answer>(method: 'GET' | 'PUT' | 'POST', path: string, body?: object): Promise<Answer> =>
    (await client.send({ method, path: `/v1/${path}`, ...(body === undefined ? {} : { body }) }))
      .body as Answer;
  const usedTokens = async (): Promise<string | null | undefined> => {
    const { rows } = await send<{ rows: { value: string | null }[] }>(
      'GET',
      `usage?meter=tokens&subject=acme&from=${RANGE.from}&to=${RANGE.to}&window=none`,
    );
    return rows[0]?.value;
  };
  const untilUsed = (tokens: string) =>
    eventually(`${tokens} tokens are counted`, async () => (await usedTokens()) === tokens, PATIENCE);
  const untilDone = async (path: string, state = 'done'): Promise<void> => {
    let last: Work | undefined;
    await eventually(
      `${path} is ${state}`,
      async () => {
        last = await send<Work>('GET', path);
        return last.state === state;
      },
      { ...PATIENCE, explain: () => `${JSON.stringify(last)}\n${server.errorText()}` },
    );
  };

  before('server', async () => {
    server = startServer({
      directory: 'unused',
      environment: { ...cloudEnvironment(emulators), MILLRACE_LATENESS_SECONDS: '0' },
    });
    const { url, secret } = await server.ready;
    client = createApiClient({ url, key: secret });
  });
  afterEach('what the server said', function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(server.errorText());
  });
  after('server', () => server?.kill());

  it('backfills a meter over events that came before it, and switches to it', async () => {
    const events = DAYS.map((day) => eventOf(`e-${day}`, 100 * day, daysAgo(day)));
    await send('POST', 'events', [...events, ...events]);
    await eventually('they are committed', async () => {
      const { state } = await send<{ state: string }>('GET', `events/lookup?source=${SOURCE}&id=e-1`);
      return state === 'unmatched';
    });
    await send('PUT', 'meters/tokens', {
      name: 'Tokens',
      eventType: 'llm.request',
      aggregation: 'sum',
      value: 'tokens',
    });
    await send('POST', 'events', [eventOf('e-now', 7, daysAgo(1))]);
    await untilUsed('7');
    const { version } = await send<{ version: number }>('POST', 'meters/tokens/versions/1/backfill', {
      ...{ from: daysAgo(5), to: daysAgo(0) },
      reason: 'events came before the meter',
    });
    await untilDone(`meters/tokens/versions/${version}/backfill`, 'complete');
    await send('POST', `meters/tokens/versions/${version}/activate`, {});
    await untilUsed('607');
  });

  it('finds no difference between cells and raw events', async () => {
    const { id } = await send<Work>('POST', 'reconciliations', {
      ...{ from: daysAgo(5), to: daysAgo(0), meters: ['tokens'] },
      reason: 'after the backfill',
    });
    await untilDone(`reconciliations/${id}`);
    const { counts } = await send<{ counts: { compared: number; differences: number } }>(
      'GET',
      `reconciliations/${id}`,
    );
    expect(counts).to.include({ differences: 0 });
    expect(counts.compared).to.be.greaterThan(0);
  });

  it('takes events back by a filter, as its preview said, and brings exactly those back', async () => {
    const correction = {
      action: 'void',
      filter: { type: 'llm.request', from: RANGE.from, to: RANGE.to, where: 'data.tokens >= 200' },
      reason: 'counted twice by the producer',
    };
    const preview = await send<{ matched: number; changed: number }>(
      'POST',
      'corrections?preview=true',
      correction,
    );
    expect(preview).to.include({ matched: 2, changed: 2 });
    expect(await usedTokens()).to.equal('607');
    const { id } = await send<Work>('POST', 'corrections', correction);
    await untilDone(`corrections/${id}`, 'applied');
    expect(await usedTokens()).to.equal('107');
    const undo = await send<Work>('POST', `corrections/${id}/undo`, { reason: 'they were right' });
    await untilDone(`corrections/${undo.id}`, 'undone');
    expect(await usedTokens()).to.equal('607');
  });

  it('imports events older than the horizon, once, and takes all of them back', async () => {
    const { id } = await send<Work>('POST', 'imports', { reason: 'history of another system' });
    const lines = [60, 90, 120].map((day) => JSON.stringify(eventOf(`old-${day}`, 1_000, daysAgo(day))));
    await client.send({
      method: 'PUT',
      path: `/v1/imports/${id}/parts/1`,
      headers: { 'content-type': 'application/x-ndjson' },
      body: Buffer.from(`${lines.join('\n')}\n`),
    });
    await send('POST', `imports/${id}/apply`, { reason: 'history of another system' });
    await untilDone(`imports/${id}`, 'applied');
    expect(await usedTokens()).to.equal('3607');
    const undo = await send<Work>('POST', `imports/${id}/undo`, { reason: 'the wrong customer' });
    await untilDone(`corrections/${undo.id}`, 'applied');
    expect(await usedTokens()).to.equal('607');
  });

  it('keeps who did what, and why', async () => {
    const { items } = await send<{ items: { action: string; reason: string | null }[] }>(
      'GET',
      'audit-entries',
    );
    expect(items.map(({ reason }) => reason)).to.include.members([
      'counted twice by the producer',
      'they were right',
      'history of another system',
    ]);
  });
});
