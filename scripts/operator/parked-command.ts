import { parseArgs } from 'node:util';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { fromHex, toHex } from '#domain/metering/hash128.ts';
import { LOCAL_FEED } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { appendParkedRows, listParked, type ParkedRow } from '#infra/usage/append-parked.ts';
import { checkNamespace } from './data-directory.ts';
import { withPlatform } from './open-platform.ts';
import { UsageError, type Invocation } from './terminal.ts';

export const PARKED_HELP = `npm run parked -- list | append [--identity HEX …] [--reason TEXT]

Rows that the warehouse refused after their events were counted. Invoices of their customers, and backfills, wait for them.

  list     every parked row, with why it was refused
  append   appends them again, or those that are named; what the warehouse takes is no longer parked

The namespace is "default" unless --namespace names another. The platform is the one in MILLRACE_DATA_DIR (default: .millrace).`;

const PAGE = 200;
const IDENTITY = /^[0-9a-f]{32}$/;

/** `npm run parked`. Fails when a row is refused still. */
export async function parkedCommand({ args, environment, terminal }: Invocation): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      namespace: { type: 'string', default: LOCAL_FEED.namespace },
      identity: { type: 'string', multiple: true },
      reason: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return terminal.out(`${PARKED_HELP}\n`);
  const [command] = positionals;
  if (positionals.length !== 1 || (command !== 'list' && command !== 'append'))
    throw new UsageError('one command is needed: list or append');
  const namespace = checkNamespace(values.namespace);
  const wrong = values.identity?.find((identity) => !IDENTITY.test(identity));
  if (wrong !== undefined) throw new UsageError(`--identity ${wrong} is not 32 hex digits`);
  const now = systemScheduler.now;
  await withPlatform({ environment, clock: now, tag: 'parked' }, async (stores) => {
    if (command === 'list') {
      for await (const row of allParked(stores.database, namespace)) terminal.out(`${tell(row)}\n`);
      return;
    }
    const origin = { principal: 'command:parked', reason: values.reason, now: now() };
    const identities = values.identity?.map(fromHex);
    const { appended, refused } = await appendParkedRows(stores, { namespace, identities, origin });
    terminal.out(`${appended} rows appended, ${refused.length} refused still\n`);
    for (const { identity, error } of refused) terminal.note(`  ${toHex(identity)}: ${error}\n`);
    if (refused.length > 0) throw new Error('the warehouse refuses rows still');
  });
}

async function* allParked(
  from: Parameters<typeof listParked>[0],
  namespace: string,
): AsyncGenerator<ParkedRow, void> {
  for (let after: ParkedRow | undefined; ;) {
    const page = await listParked(from, namespace, { after, limit: PAGE });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}

const tell = ({ identity, subject, row, error, parkedAt }: ParkedRow): string =>
  `${toHex(identity)}  ${formatInstant(parkedAt)}  ${subject}  ${String(row['source'])} ${String(row['id'])}  ${error}`;
