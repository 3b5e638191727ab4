import { z } from 'zod';
import { splitAddress } from '#infra/emulators/loopback.ts';
import { feedsSchema, type FeedSettings } from './feed-settings.ts';
import { readVariables, setVariables, wholeNumberText } from '#infra/variables.ts';

/** The three stores of a project of Google Cloud, or the emulators that stand for them. */
export interface CloudSettings {
  readonly projectId: string;
  readonly spanner: {
    readonly instance: string;
    readonly database: string;
    readonly emulatorHost: string | undefined;
  };
  readonly bigquery: {
    readonly dataset: string;
    readonly location: string | undefined;
    readonly emulator:
      { readonly rest: string; readonly grpcHost: string; readonly grpcPort: number } | undefined;
  };
  readonly pubsub: {
    readonly emulatorHost: string | undefined;
    readonly ackDeadlineSeconds: number;
    readonly feeds: readonly FeedSettings[];
    /** The feed of the topic that the API publishes to. */
    readonly apiFeed: FeedSettings;
  };
  /** How long Spanner may hold back a commit of the pipeline, to write it with others. */
  readonly commitDelayMs: number;
}

/** Where every client of the three is pointed at an emulator, nothing can go to a project by mistake, and names have defaults. */
const EMULATOR_DEFAULTS = {
  MILLRACE_PROJECT: 'millrace-local',
  MILLRACE_SPANNER_INSTANCE: 'millrace',
  MILLRACE_SPANNER_DATABASE: 'millrace',
  MILLRACE_BIGQUERY_DATASET: 'millrace',
  MILLRACE_API_TOPIC: 'millrace-api',
  MILLRACE_FEEDS: JSON.stringify([
    { feed: 'usage', topic: 'millrace-usage', subscription: 'millrace-usage', namespace: 'default' },
    { feed: 'api', topic: 'millrace-api', subscription: 'millrace-api', namespaces: 'attribute' },
  ]),
  /** The least there is: what a worker held that was killed comes back soonest. */
  MILLRACE_ACK_DEADLINE_SECONDS: '10',
} as const;

const EMULATORS = ['SPANNER_EMULATOR_HOST', 'PUBSUB_EMULATOR_HOST', 'BIGQUERY_EMULATOR_HOST'] as const;

const hostAndPort = z.string().regex(/^[^\s/:]+:\d{1,5}$/, 'is no host:port');

const required = (what: string) => z.string({ error: `is missing: ${what}` }).min(1);

/** The variables of the Google Cloud backing, of every program that opens it. */
export const cloudVariables = z.object({
  MILLRACE_PROJECT: required('the project; GOOGLE_CLOUD_PROJECT does as well').describe(
    'The project of Google Cloud; `GOOGLE_CLOUD_PROJECT` where it is not set',
  ),
  MILLRACE_SPANNER_INSTANCE: required('the instance of Spanner').describe('The instance of Spanner'),
  MILLRACE_SPANNER_DATABASE: required('the database of Spanner').describe('Its database'),
  MILLRACE_BIGQUERY_DATASET: required('the dataset of BigQuery').describe('The dataset of BigQuery'),
  MILLRACE_BIGQUERY_LOCATION: z.string().optional().describe('Where the dataset lies'),
  MILLRACE_API_TOPIC: required('the topic that the API publishes to').describe(
    'The topic that only the API publishes to; one of the feeds reads it',
  ),
  MILLRACE_FEEDS: required('the feeds, a JSON list')
    .pipe(feedsSchema)
    .describe(
      'The feeds: a JSON list of feed, topic, subscription, namespace (or `"namespaces":"attribute"`), sources',
    ),
  MILLRACE_ACK_DEADLINE_SECONDS: wholeNumberText(10, 600)
    .default(60)
    .describe('The acknowledgement deadline of the subscriptions'),
  MILLRACE_COMMIT_DELAY_MS: wholeNumberText(0, 500)
    .default(20)
    .describe('How long Spanner may hold back a commit of a worker, to write it with others'),
  SPANNER_EMULATOR_HOST: hostAndPort.optional().describe('host:port of the emulator of Spanner'),
  PUBSUB_EMULATOR_HOST: hostAndPort.optional().describe('host:port of the emulator of Pub/Sub'),
  BIGQUERY_EMULATOR_HOST: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('URL of the emulator of BigQuery'),
  BIGQUERY_STORAGE_EMULATOR_HOST: hostAndPort
    .optional()
    .describe('host:port at which the emulator of BigQuery takes appends'),
});

type Variables = z.output<typeof cloudVariables>;

/** Throws an error that names every variable that is wrong or missing. One that is empty counts as not set. */
export function readCloudSettings(environment: NodeJS.ProcessEnv): CloudSettings {
  const given = setVariables(environment);
  const project = given['GOOGLE_CLOUD_PROJECT'];
  const onEmulators = EMULATORS.every((variable) => given[variable] !== undefined);
  const variables = readVariables(cloudVariables, {
    ...(onEmulators ? EMULATOR_DEFAULTS : {}),
    ...(project === undefined ? {} : { MILLRACE_PROJECT: project }),
    ...given,
  });
  return toSettings(
    variables,
    EMULATORS.filter((variable) => given[variable] === undefined),
  );
}

function toSettings(variables: Variables, unset: readonly string[]): CloudSettings {
  if (unset.length > 0 && unset.length < EMULATORS.length)
    throw new Error(
      `the environment is wrong:\nsome stores are emulators and others are not: ${unset.join(' and ')} is missing`,
    );
  const feeds = variables.MILLRACE_FEEDS;
  const apiFeed = feeds.find(
    ({ topic, rule }) => topic === variables.MILLRACE_API_TOPIC && rule.kind === 'attribute',
  );
  if (apiFeed === undefined)
    throw new Error(
      `the environment is wrong:\nMILLRACE_FEEDS has no feed with "namespaces":"attribute" on the topic ${variables.MILLRACE_API_TOPIC}`,
    );
  return {
    projectId: variables.MILLRACE_PROJECT,
    spanner: {
      instance: variables.MILLRACE_SPANNER_INSTANCE,
      database: variables.MILLRACE_SPANNER_DATABASE,
      emulatorHost: variables.SPANNER_EMULATOR_HOST,
    },
    bigquery: {
      dataset: variables.MILLRACE_BIGQUERY_DATASET,
      location: variables.MILLRACE_BIGQUERY_LOCATION,
      emulator: bigqueryEmulator(variables),
    },
    pubsub: {
      emulatorHost: variables.PUBSUB_EMULATOR_HOST,
      ackDeadlineSeconds: variables.MILLRACE_ACK_DEADLINE_SECONDS,
      feeds,
      apiFeed,
    },
    commitDelayMs: variables.MILLRACE_COMMIT_DELAY_MS,
  };
}

function bigqueryEmulator({
  BIGQUERY_EMULATOR_HOST: rest,
  BIGQUERY_STORAGE_EMULATOR_HOST: storage,
}: Variables): CloudSettings['bigquery']['emulator'] {
  if (rest === undefined) return undefined;
  if (storage === undefined)
    throw new Error(
      'the environment is wrong:\nBIGQUERY_STORAGE_EMULATOR_HOST is missing: an emulator of BigQuery takes appends at a port of its own',
    );
  const { host, port } = splitAddress(storage);
  return { rest, grpcHost: host, grpcPort: port };
}

/** Whether everything goes to emulators. */
export const isOnEmulators = ({ spanner }: CloudSettings): boolean => spanner.emulatorHost !== undefined;
