import { parseArgs } from 'node:util';
import { SCOPES } from '#domain/access/scope.ts';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { MICROS_PER_DAY, type Instant } from '#domain/instant.ts';
import { createApiKey, listApiKeys, revokeApiKey, type ApiKey } from '#infra/access/api-keys.ts';
import type { Database } from '#infra/database/database.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { checkNamespace } from './data-directory.ts';
import { openPlatformDatabase } from './open-platform.ts';
import { UsageError, type Invocation, type Terminal } from './terminal.ts';

export const KEYS_HELP = `npm run keys -- COMMAND --namespace NAMESPACE [options]

  create --scopes SCOPES   makes a key and prints its secret, once. SCOPES: a list with commas, or all
      --name NAME          what you call it (default: operator)
      --expires-in-days N  how long it is valid (default: until it is revoked)
  list                     every key of the namespace, without secrets
  revoke --id ID           makes a key invalid; running servers follow within a minute

The scopes: ${SCOPES.join(', ')}.
It works on the files of the platform in MILLRACE_DATA_DIR (default: .millrace), whether or not it runs; with
MILLRACE_BACKEND=gcp on the database that the settings name.
With a key of scope "admin" the same can be done over HTTP, in the namespace of that key: /v1/api-keys.`;

const PAGE = 200;
/** Far beyond what anybody means, and far from what no clock can count. */
const DAYS_MAX = 36_500;

interface KeysOptions {
  readonly namespace: string;
  readonly scopes: string | undefined;
  readonly name: string;
  readonly expiresInDays: string | undefined;
  readonly id: string | undefined;
}

interface Work {
  readonly database: Database;
  readonly terminal: Terminal;
  readonly options: KeysOptions;
}

const COMMANDS: Readonly<Record<string, (work: Work) => Promise<void>>> = { create, list, revoke };

/** `npm run keys`: for whoever may read and write the files or the database of the platform, and so needs no key. */
export async function keysCommand({ args, environment, terminal }: Invocation): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      namespace: { type: 'string' },
      scopes: { type: 'string' },
      name: { type: 'string', default: 'operator' },
      'expires-in-days': { type: 'string' },
      id: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return terminal.out(`${KEYS_HELP}\n`);
  const [name = '', ...rest] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined || rest.length > 0)
    throw new UsageError(`one command is needed: ${Object.keys(COMMANDS).join(', ')}`);
  const options = {
    ...values,
    expiresInDays: values['expires-in-days'],
    namespace: checkNamespace(values.namespace),
  };
  const database = await openPlatformDatabase({ environment, clock: systemScheduler.now, tag: 'keys' });
  try {
    await command({ database, terminal, options: { scopes: undefined, id: undefined, ...options } });
  } finally {
    await database.close();
  }
}

async function create({ database, terminal, options }: Work): Promise<void> {
  const { namespace, name } = options;
  const scopes = readScopes(options.scopes);
  const lifeMicros = readLife(options.expiresInDays);
  const { result } = await database.transact((tx) => {
    const now = systemScheduler.now();
    const expiresAt = lifeMicros === null ? null : now + lifeMicros;
    return createApiKey(tx, { namespace, name, scopes, expiresAt, now });
  });
  terminal.note(`The key ${result.key.id} of ${namespace}. Its secret is shown this once:\n`);
  terminal.out(`${result.secret}\n`);
}

function readScopes(given: string | undefined): readonly string[] {
  if (given === undefined) throw new UsageError('--scopes is missing: what may the key do?');
  return given === 'all' ? SCOPES : given.split(',').map((scope) => scope.trim());
}

/** Microseconds; null: without end. */
function readLife(days: string | undefined): number | null {
  if (days === undefined) return null;
  const count = /^\d{1,5}$/.test(days) ? Number(days) : 0;
  if (count < 1 || count > DAYS_MAX)
    throw new UsageError(`--expires-in-days is a whole number from 1 to ${DAYS_MAX}`);
  return count * MICROS_PER_DAY;
}

async function list({ database, terminal, options: { namespace } }: Work): Promise<void> {
  const now = systemScheduler.now();
  let count = 0;
  for (let after: string | undefined, keys: ApiKey[] = []; ; after = keys.at(-1)?.id) {
    keys = await listApiKeys(database, namespace, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const key of keys) terminal.out(`${lineOf(key, now)}\n`);
    count += keys.length;
    if (keys.length < PAGE) break;
  }
  terminal.note(`${count} keys of ${namespace}\n`);
}

function lineOf(key: ApiKey, now: Instant): string {
  const { id, prefix, name, scopes, createdAt } = key;
  return [id, `${prefix}…`, formatInstant(createdAt), stateOf(key, now), scopes.join(','), name].join('  ');
}

function stateOf({ revokedAt, expiresAt, replacedBy }: ApiKey, now: Instant): string {
  if (revokedAt !== null) return `revoked ${formatInstant(revokedAt)}`;
  if (expiresAt === null) return 'valid';
  const until = `${expiresAt <= now ? 'ended' : 'valid until'} ${formatInstant(expiresAt)}`;
  return replacedBy === null ? until : `${until}, replaced by ${replacedBy}`;
}

async function revoke({ database, terminal, options: { namespace, id } }: Work): Promise<void> {
  if (id === undefined) throw new UsageError('--id is missing: "list" shows the ids');
  const { result } = await database.transact((tx) =>
    revokeApiKey(tx, { namespace, id, now: systemScheduler.now() }),
  );
  terminal.note(`${result.id} (${result.name}) is revoked; running servers follow within a minute\n`);
}
