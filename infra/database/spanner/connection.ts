import { credentials } from '@grpc/grpc-js';
import { Spanner } from '@google-cloud/spanner';
import type { Database as Client, Session } from '@google-cloud/spanner';
import { StoreFailure } from '../errors.ts';
import { toStoreError } from './status-code.ts';

export interface SpannerAddress {
  readonly projectId: string;
  readonly instance: string;
  readonly database: string;
  /** `host:port` of an emulator; else `SPANNER_EMULATOR_HOST`, else Google Cloud with the credentials of the environment. */
  readonly emulatorHost?: string | undefined;
}

/** A connection to one database. Opening it sends nothing that anyone waits for: a database that is not there shows at the first call. */
export interface Connection {
  /** The full name of the database, for messages. */
  readonly name: string;
  readonly spanner: Spanner;
  readonly client: Client;
  readonly isEmulator: boolean;
  session(): Promise<Session>;
  release(session: Session): void;
  close(): Promise<void>;
}

const EMULATOR_VARIABLE = 'SPANNER_EMULATOR_HOST';
const MULTIPLEXED_VARIABLES = [
  'GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS',
  'GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS_FOR_RW',
  'GOOGLE_CLOUD_SPANNER_MULTIPLEXED_SESSIONS_PARTITIONED_OPS',
];

const SESSION_TIMEOUT_MS = 15_000;

/** Of an emulator, where each snapshot, scan and transaction has a session of its own. */
const EMULATOR_SESSIONS = { min: 1, max: 400, incStep: 5 };

export const isEmulated = ({ emulatorHost }: SpannerAddress): boolean =>
  emulatorAddress(emulatorHost) !== undefined;

/** The client library goes by the variable whatever it is told, so this has to know of it too. */
const emulatorAddress = (emulatorHost: string | undefined): string | undefined =>
  emulatorHost ?? (process.env[EMULATOR_VARIABLE] || undefined);

export function connectSpanner(address: SpannerAddress): Connection {
  const { projectId, instance, database } = address;
  const host = emulatorAddress(address.emulatorHost);
  const open = (): { spanner: Spanner; client: Client } => {
    const spanner = new Spanner({ projectId, disableBuiltInMetrics: true, ...emulatorOptions(host) });
    return {
      spanner,
      client: spanner.instance(instance).database(database, host === undefined ? {} : EMULATOR_SESSIONS),
    };
  };
  const { spanner, client } = host === undefined ? open() : onEmulator(open);
  // Without a listener, a session that cannot be made would end the process. Whoever needs one is told by the call itself.
  (client as unknown as NodeJS.EventEmitter).on('error', () => undefined);
  const sessions = client.sessionFactory_;
  const name = `projects/${projectId}/instances/${instance}/databases/${database}`;
  return {
    name,
    spanner,
    client,
    isEmulator: host !== undefined,
    session: () => sessionOf(sessions, name),
    release: (session) => sessions.release(session),
    close: async () => {
      await client.close();
      await spanner.close();
    },
  };
}

/** Only the first has to be made, or where there is a pool another one now and then. The library itself would wait ten minutes for it. */
function sessionOf(sessions: Client['sessionFactory_'], name: string): Promise<Session> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(
        new StoreFailure(`${name}: no session within ${SESSION_TIMEOUT_MS} ms; Spanner cannot be reached`),
      );
    }, SESSION_TIMEOUT_MS);
    sessions.getSession((error, session) => {
      clearTimeout(timer);
      if (late && session != null) sessions.release(session);
      else if (session != null) resolve(session);
      else reject(toStoreError(error ?? 'there is no session', name));
    });
  });
}

function emulatorOptions(host: string | undefined): object {
  if (host === undefined) return {};
  const [servicePath, port, ...rest] = host.split(':');
  if (!servicePath || !/^\d+$/.test(port ?? '') || rest.length > 0)
    throw new StoreFailure(`an emulator's address is host:port, not ${host}`);
  return { servicePath, port: Number(port), sslCreds: credentials.createInsecure() };
}

/**
 * The emulator knows no multiplexed sessions, and the client library learns that from variables when it is made. They are as they were
 * afterwards, but for the one that keeps it from looking for the credentials of a machine on Google Cloud, which it does later.
 */
function onEmulator<Result>(open: () => Result): Result {
  process.env['METADATA_SERVER_DETECTION'] ??= 'none';
  const before = [EMULATOR_VARIABLE, ...MULTIPLEXED_VARIABLES].map(
    (name) => [name, process.env[name]] as const,
  );
  Reflect.deleteProperty(process.env, EMULATOR_VARIABLE);
  for (const name of MULTIPLEXED_VARIABLES) process.env[name] = 'false';
  try {
    return open();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
}
