import { expect } from 'chai';
import { serveHealth } from '#pipelines/fleet/health.ts';
import { readWorkerSettings } from '#pipelines/fleet/settings.ts';

describe('the health port of a worker', () => {
  it('says that the process is alive whatever it does, and why it does not work', async () => {
    let reason: string | undefined = 'drains';
    const metrics = async () => ({ contentType: 'text/plain', text: 'up 1\n' });
    const server = await serveHealth({ notReady: () => reason, metrics }, { host: '127.0.0.1', port: 0 });
    const ask = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [response.status, await response.text()];
    };
    try {
      expect(await ask('/healthz')).to.deep.equal([200, '{"status":"alive"}']);
      expect(await ask('/readyz')).to.deep.equal([503, '{"status":"drains"}']);
      reason = undefined;
      expect(await ask('/readyz?probe=1')).to.deep.equal([200, '{"status":"ready"}']);
      expect(await ask('/metrics')).to.deep.equal([200, 'up 1\n']);
      expect((await ask('/'))[0]).to.equal(404);
    } finally {
      await server.close();
    }
  });
});

describe('the settings of a worker', () => {
  it('all have defaults, and one that is wrong is named', () => {
    const { drainMs, batchMessagesMax, health, scaling } = readWorkerSettings({ MILLRACE_RELEASE: '' });
    expect({ drainMs, batchMessagesMax, port: health.port }).to.deep.equal({
      drainMs: 7_000,
      batchMessagesMax: 1_000,
      port: 8_081,
    });
    expect(scaling).to.include({ workersMin: 1, workersMax: 64 });
    expect(() => readWorkerSettings({ MILLRACE_DRAIN_SECONDS: '0' })).to.throw('MILLRACE_DRAIN_SECONDS');
    expect(() => readWorkerSettings({ MILLRACE_WORKERS_MIN: '9', MILLRACE_WORKERS_MAX: '3' })).to.throw(
      'above',
    );
  });
});
