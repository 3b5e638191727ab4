import { randomBytes } from 'node:crypto';
import type { Context, Suite } from 'mocha';
import {
  EMULATOR_NAMES,
  isRunning,
  projectOf,
  type Emulator,
  type EmulatorName,
} from '#infra/emulators/emulator.ts';
import { splitAddress } from '#infra/emulators/loopback.ts';
import { openEmulator } from '#infra/emulators/open-emulators.ts';

/**
 * The emulators of a suite of `*.gcp.test.ts`, ready in its tests and in every `before` after the call. They are shared by the whole run;
 * the names of databases, topics and datasets are the suite's own.
 */
export interface SuiteEmulators {
  /** `SPANNER_EMULATOR_HOST` and the like, with the suite's names as `MILLRACE_…`: for a client in this process, or for a child's. */
  readonly environment: Readonly<Record<string, string>>;
  readonly projectId: string;
  /** `host:port` */
  readonly spannerHost: string;
  /** `host:port` */
  readonly pubsubHost: string;
  readonly bigquery: {
    /** A URL. */
    readonly rest: string;
    readonly grpcHost: string;
    readonly grpcPort: number;
  };
  /** The same instance in every suite, a database of its own. */
  readonly spannerInstance: string;
  readonly spannerDatabase: string;
  readonly bigqueryDataset: string;
  /** A name of a topic or subscription that no other suite has. */
  pubsubName(name: string): string;
}

/** Suites that could not run, with their reasons, for the end of the run. */
export interface NotRun {
  readonly suite: string;
  readonly reason: string;
}

const SPANNER_INSTANCE = 'test';
const NAME_BYTES = 5;

const opened = new Map<EmulatorName, Promise<Emulator>>();
const notRun: NotRun[] = [];
const skipped = new WeakSet<Suite>();

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Once a run, however many suites ask; it ends with the process. */
function sharedEmulator(name: EmulatorName): Promise<Emulator> {
  const open = opened.get(name) ?? openEmulator(name, { environment: process.env, say });
  opened.set(name, open);
  return open;
}

/**
 * To be called in a `describe`, before its hooks. When one of the emulators cannot be had, the suite is reported as `not run` with the
 * reason, neither passed nor failed; with `MILLRACE_REQUIRE_EMULATORS=1` it fails.
 */
export function useEmulators(names: readonly EmulatorName[] = EMULATOR_NAMES): SuiteEmulators {
  const suffix = randomBytes(NAME_BYTES).toString('hex');
  let variables: Readonly<Record<string, string>> = {};
  before('emulators', async function () {
    // The first to ask may have to wait for a build.
    this.timeout(0);
    const emulators = await Promise.all(names.map(sharedEmulator));
    const reasons = emulators.flatMap((each) => (isRunning(each) ? [] : [`${each.name} ${each.reason}`]));
    if (reasons.length > 0) skipSuite(this, `no emulator: ${reasons.join('; ')}`);
    variables = Object.fromEntries(
      emulators.filter(isRunning).flatMap((each) => Object.entries(each.variables)),
    );
  });
  return suiteEmulators(suffix, () => variables);
}

function suiteEmulators(suffix: string, variables: () => Readonly<Record<string, string>>): SuiteEmulators {
  const variable = (name: string): string => {
    const value = variables()[name];
    if (value === undefined)
      throw new Error(`${name} is known in hooks and tests, of an emulator that the suite uses`);
    return value;
  };
  const projectId = projectOf(process.env);
  const spannerDatabase = `db-${suffix}`;
  const bigqueryDataset = `ds_${suffix}`;
  return {
    projectId,
    spannerInstance: SPANNER_INSTANCE,
    spannerDatabase,
    bigqueryDataset,
    get environment() {
      return {
        ...variables(),
        MILLRACE_PROJECT: projectId,
        MILLRACE_SPANNER_INSTANCE: SPANNER_INSTANCE,
        MILLRACE_SPANNER_DATABASE: spannerDatabase,
        MILLRACE_BIGQUERY_DATASET: bigqueryDataset,
      };
    },
    get spannerHost() {
      return variable('SPANNER_EMULATOR_HOST');
    },
    get pubsubHost() {
      return variable('PUBSUB_EMULATOR_HOST');
    },
    get bigquery() {
      const storage = splitAddress(variable('BIGQUERY_STORAGE_EMULATOR_HOST'));
      return { rest: variable('BIGQUERY_EMULATOR_HOST'), grpcHost: storage.host, grpcPort: storage.port };
    },
    pubsubName: (name) => `${name}-${suffix}`,
  };
}

/**
 * To be called in a `before`: the suite of the hook is not run, for the reason. Also for what is no emulator but may be missing, such as
 * another language. It ends the hook.
 */
export function skipSuite(context: Context, reason: string): never {
  const suite = context.test?.parent;
  if (process.env['MILLRACE_REQUIRE_EMULATORS'] === '1') throw new Error(`not run: ${reason}`);
  if (suite !== undefined) {
    skipped.add(suite);
    notRun.push({ suite: suite.fullTitle(), reason });
    say(`  not run: ${suite.fullTitle()}: ${reason}`);
  }
  return context.skip();
}

export const suitesNotRun = (): readonly NotRun[] => notRun;

/** Whether a pending test is one of a suite that said why it was not run. */
export const wasSkipped = (suite: Suite | undefined): boolean =>
  suite !== undefined && (skipped.has(suite) || wasSkipped(suite.parent));

/** Stops what the run has started; a later suite would start it again. */
export async function stopSharedEmulators(): Promise<void> {
  const emulators = await Promise.all(opened.values());
  opened.clear();
  await Promise.all(emulators.filter(isRunning).map(({ stop }) => stop()));
}
