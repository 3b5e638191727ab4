import { z } from 'zod';
import { json, text } from '../http/answer.ts';
import { Problem } from '../http/problem.ts';
import { openRoute, type Route } from '../http/route.ts';
import { readMetrics } from './read-metrics.ts';
import { readReadiness } from './readiness.ts';
import { statusRoute } from './status.ts';

const tag = 'Operation';

const health = openRoute({
  method: 'get',
  path: '/healthz',
  name: 'getHealth',
  tag,
  summary: 'The process is alive',
  description: 'Asks no store: a database that is down must not get a healthy process killed.',
  answers: {
    200: { description: 'Alive', json: z.object({ status: z.literal('alive'), version: z.string() }) },
  },
  quiet: true,
  handle: ({ version }) => json(200, { status: 'alive', version }),
});

const readiness = openRoute({
  method: 'get',
  path: '/readyz',
  name: 'getReadiness',
  tag,
  summary: 'The process can do its work: its stores answer, and it is not stopping',
  answers: {
    200: {
      description: 'Ready',
      json: z.object({
        status: z.literal('ready'),
        checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
      }),
    },
  },
  problems: ['not_ready'],
  quiet: true,
  handle: async (services) => {
    const checks = await readReadiness(services);
    if (checks.every(({ ok }) => ok)) return json(200, { status: 'ready', checks });
    const failed = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
    throw new Problem('not_ready', failed.join('; '), {
      members: { checks },
      headers: { 'Retry-After': '1' },
    });
  },
});

const metrics = openRoute({
  method: 'get',
  path: '/metrics',
  name: 'getMetrics',
  tag,
  summary: 'What this process and its pipeline count and measure, for Prometheus',
  answers: { 200: { description: 'Prometheus text format', mediaTypes: ['text/plain'] } },
  quiet: true,
  handle: async (services) => {
    const read = await readMetrics(services);
    return text(200, read.contentType, await read.text());
  },
});

export const OPERATION_ROUTES: readonly Route[] = [statusRoute, health, readiness, metrics];
