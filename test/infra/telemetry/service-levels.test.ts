import { expect } from 'chai';
import { createMetrics } from '#api/http/metrics.ts';
import { DELAY_BUCKETS_SECONDS } from '#infra/telemetry/delay-histogram.ts';
import { SERVICE_LEVELS } from '#infra/telemetry/service-levels.ts';

describe('the service levels', () => {
  it('have names of their own', () => {
    const ids = SERVICE_LEVELS.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('ask for no other bound than one that the buckets have, since between two of them nothing is known', async () => {
    const metrics = createMetrics();
    metrics.observeRequest({ route: 'getStatus', method: 'GET', status: 200, latencyMs: 1 });
    const shown = await metrics.text();
    for (const { indicator } of SERVICE_LEVELS) {
      if (indicator.kind !== 'threshold') continue;
      const isDelay = indicator.metric === 'millrace_usage_commit_delay_seconds';
      const has = isDelay
        ? DELAY_BUCKETS_SECONDS.some((bound) => bound === indicator.atMost)
        : shown.includes(`${indicator.metric}_bucket{le="${indicator.atMost}"`);
      expect(has, `${indicator.metric} up to ${indicator.atMost}`).to.equal(true);
    }
  });

  it('count metrics with labels that the API really gives', async () => {
    const metrics = createMetrics();
    metrics.observeRequest({ route: 'postEvents', method: 'POST', status: 503, latencyMs: 1 });
    const shown = await metrics.text();
    for (const { indicator } of SERVICE_LEVELS) {
      if (indicator.kind !== 'ratio') continue;
      for (const { metric, labels } of [indicator.bad, indicator.total]) {
        expect(shown).to.match(new RegExp(`^${metric}\\{`, 'm'));
        for (const label of Object.keys(labels))
          expect(shown).to.match(new RegExp(`^${metric}\\{[^}]*${label}="`, 'm'));
      }
    }
    expect(shown).to.include('millrace_http_requests_total{route="postEvents",class="5xx"} 1');
  });
});
