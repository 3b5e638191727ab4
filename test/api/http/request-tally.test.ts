import { expect } from 'chai';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { createRequestTally } from '#api/http/request-tally.ts';

const BUCKETS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

const request = fc.record({
  route: fc.constantFrom('getEntitlement', 'postEvents', 'none'),
  method: fc.constantFrom('GET', 'POST'),
  status: fc.constantFrom(200, 202, 404, 503),
  latencyMs: fc.oneof(fc.double({ min: 0, max: 10_000, noNaN: true }), fc.constantFrom(0, 0.5, 1, 5_000)),
});

describe('the tally of requests', () => {
  it('shows what the histogram of the registry would show', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
        const tally = createRequestTally();
        const histogram = new Histogram({
          name: tally.durations().name,
          help: tally.durations().help,
          labelNames: ['route', 'method', 'status'],
          buckets: BUCKETS,
          registers: [new Registry()],
        });
        for (const each of requests) {
          const { route, method, status, latencyMs } = each;
          tally.count(each);
          histogram.observe({ route, method, status }, latencyMs / 1_000);
        }
        const { values } = await histogram.get();
        const plain = values.map(({ metricName, labels, value }) => ({ metricName, labels, value }));
        expect(tally.durations().values).to.deep.equal(plain);
      }),
    );
  });

  it('counts every request once in the class of its status', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 40 }), (requests) => {
        const tally = createRequestTally();
        requests.forEach(tally.count);
        for (const { labels, value } of tally.answered().values) {
          const alike = requests.filter(
            ({ route, status }) => route === labels['route'] && `${String(status)[0]}xx` === labels['class'],
          );
          expect(value).to.equal(alike.length);
        }
        const counted = tally.answered().values.reduce((sum, { value }) => sum + value, 0);
        expect(counted).to.equal(requests.length);
      }),
    );
  });
});
