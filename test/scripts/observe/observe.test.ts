import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createObserver, type Observed } from '../../../scripts/observe/observer.ts';
import { serveObserver, type ObserverServer } from '../../../scripts/observe/server.ts';
import { eventually } from '#test/support/eventually.ts';
import { startServer } from '#test/support/server-process.ts';

const CANARY = 'canary-9f31c2';

/** Whatever the platform is asked, its telemetry must hold no more of it than its kind. */
async function postEvent(url: string, secret: string): Promise<number> {
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id: CANARY,
      source: CANARY,
      type: CANARY,
      subject: CANARY,
      data: { [CANARY]: CANARY },
    }),
  });
  await answer.text();
  return answer.status;
}

const telemetryTo = (endpoint: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_TRACES_SAMPLER_ARG: '1',
  OTEL_METRIC_EXPORT_INTERVAL: '1000',
  MILLRACE_LOG_LEVEL: 'info',
});

describe('telemetry of the whole platform', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-telemetry-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('shows a trace from publishing to commit, the figures and the service levels, and nothing of what was sent', async () => {
    const observer = createObserver();
    const received: Buffer[] = [];
    const keep = (name: 'traces' | 'metrics' | 'logs') => (bytes: Uint8Array, atMs: number) => {
      received.push(Buffer.from(bytes));
      observer.take[name](bytes, atMs);
    };
    const take = { traces: keep('traces'), metrics: keep('metrics'), logs: keep('logs') };
    const collector = await serveObserver({ ...observer, take }, 0);
    const server = startServer({ directory, environment: telemetryTo(collector.url) });
    try {
      const { url, secret } = await server.ready;
      expect(await postEvent(url, secret)).to.equal(202);
      const observed = await untilObserved(collector, ({ traces, figures }) => {
        const names = traces.flatMap(({ spans }) => spans.map(({ name }) => name));
        return (
          names.includes('commit') &&
          names.includes('publish') &&
          figures['millrace_usage_accepted_total'] === 1
        );
      });
      const [trace] = observed.traces.filter(({ name }) => name === 'POST /v1/events');
      expect(trace?.spans.map(({ name }) => name)).to.deep.equal([
        'POST /v1/events',
        'publish',
        'commit',
        'transaction',
        'append',
        'acknowledge',
      ]);
      expect(observed.logs.map(({ text }) => text)).to.include.members([
        'the API listens',
        'the pipeline runs',
      ]);
      const fresh = observed.levels.find(({ id }) => id === 'usage-freshness');
      expect(fresh).to.include({ counted: 1, bad: 0, share: 1, budgetLeft: 1 });
      const sent = Buffer.concat(received).toString('latin1');
      expect(sent).to.include('POST /v1/events');
      for (const secretText of [CANARY, secret]) expect(sent).not.to.include(secretText);
    } finally {
      server.process.kill('SIGTERM');
      await server.exited;
      await collector.close();
    }
  });

  it('of a collector that never answers delays nothing, and the platform ends as it should', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const server = startServer({ directory, environment: telemetryTo(`http://127.0.0.1:${port}`) });
    try {
      const { url, secret } = await server.ready;
      expect(await postEvent(url, secret)).to.equal(202);
    } finally {
      server.process.kill('SIGTERM');
      expect(await server.exited).to.include({ code: 0 });
      silent.closeAllConnections();
      silent.close();
    }
  });

  it('is refused where it is none, and the page asks no other host', async () => {
    const collector = await serveObserver(createObserver(), 0);
    try {
      const broken = await fetch(`${collector.url}/v1/traces`, { method: 'POST', body: 'no protobuf' });
      expect(broken.status).to.equal(400);
      const page = await fetch(collector.url);
      expect(page.headers.get('content-security-policy')).to.include("default-src 'none'");
      expect(await page.text()).not.to.match(/https?:\/\//);
      expect((await fetch(`${collector.url}/../main.ts`)).status).to.equal(404);
    } finally {
      await collector.close();
    }
  });
});

async function untilObserved(
  { url }: ObserverServer,
  isThere: (observed: Observed) => boolean,
): Promise<Observed> {
  let last: Observed | undefined;
  await eventually('the collector has it', async () => {
    last = (await (await fetch(`${url}/observed.json`)).json()) as Observed;
    return isThere(last);
  });
  if (last === undefined) throw new Error('nothing was observed');
  return last;
}
