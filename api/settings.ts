import { parseArgs } from 'node:util';
import { z } from 'zod';
import { KEY_LIMITS, type BucketLimits } from '#infra/access/token-buckets.ts';
import { readBackend, type Backend } from '#infra/cloud/backend.ts';

const PORT_MAX = 65_535;
const GRACE_SECONDS_MAX = 600;
const ALL_INTERFACES = '0.0.0.0';
const LOOPBACK = '127.0.0.1';

const schema = z.object({
  directory: z.string().min(1).optional(),
  host: z.string().min(1).default(LOOPBACK),
  port: z.coerce.number().int().min(0).max(PORT_MAX).default(8_080),
  'log-level': z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  /** How long the requests in hand are waited for. */
  'grace-seconds': z.coerce.number().min(0).max(GRACE_SECONDS_MAX).default(10),
  /** What one API key may send. */
  'key-events-per-second': z.coerce.number().int().min(1).default(KEY_LIMITS.eventsPerSecond),
  'key-bytes-per-second': z.coerce.number().int().min(1).default(KEY_LIMITS.bytesPerSecond),
});

/** The variable that stands for each option where none is given, as in a container. */
export const API_VARIABLES = {
  directory: 'MILLRACE_DATA_DIR',
  host: 'MILLRACE_HOST',
  port: 'MILLRACE_PORT',
  'log-level': 'MILLRACE_LOG_LEVEL',
  'grace-seconds': 'MILLRACE_GRACE_SECONDS',
  'key-events-per-second': 'MILLRACE_KEY_EVENTS_PER_SECOND',
  'key-bytes-per-second': 'MILLRACE_KEY_BYTES_PER_SECOND',
} as const satisfies Record<keyof z.input<typeof schema>, string>;

export interface ApiSettings {
  readonly backend: Backend;
  /** Of the embedded stores. */
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly graceMs: number;
  readonly keyLimits: BucketLimits;
}

/** Reads options, and variables where an option is not given. Throws an error that names what is wrong. */
export function readApiSettings(args: readonly string[], environment: NodeJS.ProcessEnv): ApiSettings {
  const options = Object.fromEntries(
    Object.keys(API_VARIABLES).map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ args: [...args], options });
  const parsed = schema.safeParse({ ...fromEnvironment(environment), ...values });
  if (!parsed.success) throw new Error(`the settings are wrong:\n${z.prettifyError(parsed.error)}`);
  const { data } = parsed;
  const backend = readBackend(environment);
  if (backend === 'embedded' && data.directory === undefined)
    throw new Error(
      'the settings are wrong:\n--directory (or MILLRACE_DATA_DIR) says where the embedded stores lie',
    );
  return {
    backend,
    directory: data.directory ?? '',
    host: data.host,
    port: data.port,
    logLevel: data['log-level'],
    graceMs: data['grace-seconds'] * 1_000,
    keyLimits: {
      ...KEY_LIMITS,
      eventsPerSecond: data['key-events-per-second'],
      bytesPerSecond: data['key-bytes-per-second'],
    },
  };
}

/** Cloud Run names the port in `PORT`, and nothing reaches a container there but through all interfaces. */
function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const isOnCloudRun = Boolean(environment['K_SERVICE']);
  const platform = {
    ...(isOnCloudRun ? { host: ALL_INTERFACES } : {}),
    ...(isOnCloudRun && environment['PORT'] ? { port: environment['PORT'] } : {}),
  };
  const own = Object.entries(API_VARIABLES).flatMap(([option, variable]) => {
    const value = environment[variable];
    return value === undefined || value === '' ? [] : [[option, value] as const];
  });
  return { ...platform, ...Object.fromEntries(own) };
}
