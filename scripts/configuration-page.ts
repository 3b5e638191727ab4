import type { z } from 'zod';
import { backendVariables } from '#infra/cloud/backend.ts';
import { cloudVariables } from '#infra/cloud/settings.ts';
import { startVariables } from '#infra/local/start/settings.ts';
import { workerVariables } from '#pipelines/fleet/settings.ts';
import { dataflowVariables } from '#pipelines/portable/dataflow/settings.ts';
import { portableVariables } from '#pipelines/portable/worker-variables.ts';

/** A variable and what it does, beside those that a schema declares. */
type Described = readonly (readonly [name: string, what: string])[];

/** OpenTelemetry's own; its exporters read more of them by themselves. */
const TELEMETRY: Described = [
  [
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'The collector that metrics, traces and logs go to; nothing is sent without it',
  ],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'What goes with every request to it, such as a token'],
  ['OTEL_METRIC_EXPORT_INTERVAL', 'Milliseconds between two exports of metrics'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'What is said of this process with all it sends'],
  ['OTEL_SDK_DISABLED', '`true` sends nothing'],
  ['OTEL_TRACES_SAMPLER_ARG', 'The share of requests whose way is traced, 0 to 1'],
  ['MILLRACE_OBSERVE_PORT', 'Where `npm run observe` listens for telemetry'],
];
const PLATFORM: Described = [
  ['GOOGLE_CLOUD_PROJECT', 'The project, where `MILLRACE_PROJECT` is not set'],
  ['PORT', 'On Cloud Run, which sets it: the port of the API'],
  ['K_SERVICE', 'Set by Cloud Run: the API then listens on all interfaces'],
];
const TOUR: Described = [
  ['MILLRACE_URL', 'The server that the tour goes to, instead of one of its own'],
  ['MILLRACE_KEY', 'An API key of that server'],
];
const EMULATORS_AND_TESTS: Described = [
  ['MILLRACE_CACHE_DIR', 'Where emulators and engines are built or fetched to; else below `XDG_CACHE_HOME`'],
  ['XDG_CACHE_HOME', 'Where caches of this user are kept'],
  ['MILLRACE_BUILD_MINUTES', 'How long building an emulator or engine may take'],
  [
    'MILLRACE_REQUIRE_EMULATORS',
    '`1`: a suite that has no emulator fails instead of being reported as not run',
  ],
  ['MILLRACE_SEED', 'One seed of a simulated test, to look at its failure'],
  ['MILLRACE_SEEDS', 'How many seeds the long simulations go through'],
  ['MILLRACE_FAULT_EVENTS', 'The events of each fault suite on an engine, which then runs all its scenarios'],
  [
    'MILLRACE_WORKER_SIBLING',
    'Set by the worker of a container for those that it starts itself: they start none',
  ],
];

/** `docs/configuration.md`: every variable of every program. */
export const configurationPage = (): string =>
  [
    '# Configuration',
    '',
    'Every variable that a program of ours reads. One that is set to nothing counts as not set, and one that is wrong ends the program at once with its',
    'name and what is wrong. Made by `npm run generate` from the schemas that read them.',
    '',
    '## The backing',
    '',
    ...ofSchema(backendVariables),
    '',
    '## Server and API',
    '',
    '`npm start`, and the API by itself (`api/main.ts`), which logs `info` unless told otherwise. Commands of operators read `MILLRACE_DATA_DIR` and the backing.',
    '',
    ...ofSchema(startVariables),
    '',
    '## Google Cloud',
    '',
    'With `MILLRACE_BACKEND=gcp`, in every program, and always in `npm run worker`. Where the three variables of emulators are set, all others have defaults.',
    '',
    ...ofSchema(cloudVariables),
    ...lines(PLATFORM),
    '',
    'A feed in `MILLRACE_FEEDS` is `{"feed", "topic", "subscription"}` with either `"namespace"`, whose all its messages are, or `"namespaces": "attribute"` on the topic',
    'that only the API publishes to (and there `"strays"`, where dead letters of messages without a namespace lie, `default` unless said otherwise). `"sources"` is a list of',
    'the sources that may publish there, each whole or with `*` at its end.',
    '',
    '## Workers',
    '',
    '`npm run worker`; the [guide](guides/fleet.md) has more.',
    '',
    ...ofSchema(workerVariables),
    '',
    '### Of distributed runners',
    '',
    'Worker processes of `npm run pipeline` read these, those of their stores, and of the others `MILLRACE_LOG_LEVEL`, `MILLRACE_RELEASE` and `MILLRACE_LATENESS_SECONDS`. On the embedded',
    'stores they read `MILLRACE_DATA_DIR` and `MILLRACE_ACK_DEADLINE_SECONDS`.',
    '',
    ...ofSchema(portableVariables),
    '',
    '## Dataflow',
    '',
    'Jobs on Dataflow, beside the variables of Google Cloud: `npm run pipeline -- --runner dataflow`; the [guide](guides/dataflow.md) has more.',
    '',
    ...ofSchema(dataflowVariables),
    '',
    '## Telemetry',
    '',
    ...HEAD,
    ...lines(TELEMETRY),
    '',
    '## The tour',
    '',
    ...HEAD,
    ...lines(TOUR),
    '',
    '## Emulators and tests',
    '',
    ...HEAD,
    ...lines(EMULATORS_AND_TESTS),
    '',
  ].join('\n');

const HEAD = ['| variable | default | what it says |', '|---|---|---|'];

const ofSchema = ({ shape }: z.ZodObject): string[] => [
  ...HEAD,
  ...Object.entries(shape).map(([name, schema]) => {
    const { description } = schema as z.ZodType;
    if (description === undefined) throw new Error(`${name} has no description`);
    return line(name, defaultOf(schema as z.ZodType), description);
  }),
];

/** What a program gets without the variable; empty where there is nothing, as of one that is required. */
function defaultOf(schema: z.ZodType): string {
  const { data } = schema.safeParse(undefined);
  return typeof data === 'string' || typeof data === 'number' ? `\`${data}\`` : '';
}

const lines = (described: Described): string[] => described.map(([name, what]) => line(name, '', what));
const line = (name: string, value: string, what: string): string =>
  `| \`${name}\` | ${value} | ${what.replaceAll('|', '\\|')} |`;
