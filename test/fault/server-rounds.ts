import { expect } from 'chai';
import { MICROS_PER_HOUR } from '#domain/instant.ts';
import { identityOf } from '#domain/metering/identity.ts';
import type { LocalStores } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { readUsage } from '#infra/usage/read-usage.ts';
import { event } from '#infra/usage/tables.ts';
import { eventually } from '#test/support/eventually.ts';
import { NAMESPACE, openStores, saveMeters, type Cleanup } from '#test/support/local-stores.ts';
import { startServer, type ServerProcess } from '#test/support/server-process.ts';
import { startIngest } from './ingest-clients.ts';

/** What is done to the server in the middle of its work: told to stop, killed with its processes left to notice, or one of those killed. */
export const BLOWS = ['stop', 'kill', 'kill-api', 'kill-pipeline'] as const;
export type Blow = (typeof BLOWS)[number];

const METER = 'posts';
const TYPE = 'posted';
const SUBJECT = 'acme';
const EVENTS_BEFORE_A_BLOW = 200;

/** What the clients were told, over all rounds. */
interface Told {
  readonly accepted: Set<string>;
  readonly sent: Set<string>;
}

/**
 * Starts the server, posts events to it and strikes, again and again. In the end every event that was answered 202 must be counted, none
 * twice, and no answer may ever have been cut where the server was told to stop.
 */
export async function runServerRounds(
  directory: string,
  cleanup: Cleanup,
  blows: readonly Blow[],
): Promise<void> {
  await prepare(directory);
  const told: Told = { accepted: new Set(), sent: new Set() };
  let secret = '';
  for (const blow of blows) {
    const server = startServer({ directory });
    cleanup.defer(() => server.kill());
    const started = await server.ready;
    secret ||= started.secret;
    await strikeWhilePosting(server, { url: started.url, secret }, { blow, told });
  }
  await expectCounted(directory, cleanup, told);
}

async function prepare(directory: string): Promise<void> {
  const stores = await openStores(directory);
  await saveMeters(stores, { [METER]: { name: 'Posts', eventType: TYPE, aggregation: 'count' } });
  await stores.close();
}

async function strikeWhilePosting(
  server: ServerProcess,
  access: { readonly url: string; readonly secret: string },
  { blow, told }: { readonly blow: Blow; readonly told: Told },
): Promise<void> {
  const clients = startIngest({ ...access, source: 'clients', type: TYPE, subject: SUBJECT });
  try {
    await clients.more(EVENTS_BEFORE_A_BLOW);
    await strike(server, blow);
    if (blow.startsWith('kill-')) {
      // It is there again, at the same address, and the clients get on.
      await clients.more(EVENTS_BEFORE_A_BLOW);
      expect(await server.stop(), server.errorText()).to.deep.equal({ code: 0, signal: null });
    }
  } finally {
    await clients.stop();
  }
  // A process that is killed cuts its answers; one that stops may not.
  const whole = blow === 'stop' || blow === 'kill-pipeline';
  expect(whole ? clients.faults : clients.faults.filter((fault) => !fault.startsWith('half'))).to.deep.equal(
    [],
  );
  for (const id of clients.accepted) told.accepted.add(id);
  for (const id of clients.sent) told.sent.add(id);
}

async function strike(server: ServerProcess, blow: Blow): Promise<void> {
  switch (blow) {
    case 'stop':
      expect(await server.stop(), server.errorText()).to.deep.equal({ code: 0, signal: null });
      return;
    case 'kill':
      await server.kill();
      return;
    case 'kill-api':
      return server.replace('api');
    case 'kill-pipeline':
      return server.replace('pipeline');
  }
}

/** After one more start and stop everything that was published is committed; usage and event rows must tell the same. */
async function expectCounted(directory: string, cleanup: Cleanup, { accepted, sent }: Told): Promise<void> {
  const stores = await openStores(directory);
  cleanup.defer(() => stores.close());
  const server = startServer({ directory });
  cleanup.defer(() => server.kill());
  await server.ready;
  await eventually('everything published is committed', async () => {
    const backlogs = await Promise.all(Object.values(stores.topics).map((topic) => topic.backlog()));
    return backlogs.every(({ messages }) => messages === 0);
  });
  expect(await server.stop(), server.errorText()).to.deep.equal({ code: 0, signal: null });

  const counted = await storedOf(stores, [...sent]);
  expect(
    [...accepted].filter((id) => !counted.has(id)),
    'answered 202 and not counted',
  ).to.deep.equal([]);
  const now = systemScheduler.now();
  const { rows } = await readUsage(stores.database, {
    namespace: NAMESPACE,
    meter: METER,
    subjects: [SUBJECT],
    from: now - 24 * MICROS_PER_HOUR,
    to: now + MICROS_PER_HOUR,
    window: 'none',
    timezone: 'UTC',
  });
  expect(rows.map(({ value }) => value)).to.deep.equal([String(counted.size)]);
}

async function storedOf({ database }: LocalStores, ids: readonly string[]): Promise<Set<string>> {
  const rows = await database.read(
    event,
    ids.map((id) => [identityOf(NAMESPACE, 'clients', id)]),
  );
  return new Set(ids.filter((_, place) => rows[place] !== undefined));
}
