import { z } from 'zod';
import { createObserver } from './observer.ts';
import { serveObserver } from './server.ts';

/** `npm run observe`: shows on this machine what a Millrace that runs here measures, until Ctrl-C. 4318 is the port of OTLP over HTTP. */
const OTLP_PORT = 4_318;
const { MILLRACE_OBSERVE_PORT: port } = z
  .object({ MILLRACE_OBSERVE_PORT: z.coerce.number().int().min(0).max(65_535).default(OTLP_PORT) })
  .parse(process.env);

try {
  const server = await serveObserver(createObserver(), port);
  process.stdout.write(`Open ${server.url} in a browser. Then start Millrace beside it:

  OTEL_EXPORTER_OTLP_ENDPOINT=${server.url} OTEL_TRACES_SAMPLER_ARG=1 OTEL_METRIC_EXPORT_INTERVAL=2000 npm start

Ctrl-C stops the observer; it keeps nothing.
`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
} catch (error) {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  if (!isTaken) throw error;
  process.stderr.write(
    `port ${port} is taken by another program; choose another with MILLRACE_OBSERVE_PORT\n`,
  );
  process.exitCode = 1;
}
