import { parseArgs } from 'node:util';
import { z } from 'zod';
import { JOB_NAME } from './worker-variables.ts';

export const USAGE = `npm run pipeline -- --runner prism|flink|dataflow [options]
  --name <job>              what the job is called (usage)
  --readers <n>             readers of each feed (4)
  --json                    a line of JSON for each status
  --drain                   end the job of that name on an engine that runs already
an engine that runs already, instead of one that is started here:
  --job-endpoint <h:p>      its job service
  --flink-rest <url>        the REST interface of a Flink cluster
  --checkpoint-url <url>    where that cluster can write checkpoints
Flink:
  --parallelism <n>         into how many parts each step is split (1)
  --workers <n>             worker processes of each TaskManager (its part of the parallelism)
  --checkpoint <time>       how often a checkpoint is written, such as 5s or 500ms (5s)
  --task-managers <n>       a JobManager and so many TaskManagers, instead of all in one process
  --folder <path>           for logs, configuration and checkpoints
  --read java               Flink reads Pub/Sub itself; --folder keeps what it has acknowledged and not committed
Dataflow:
  --dry-run [--out <folder>], --update, --validate, --cancel
bounded jobs, on prism, flink, dataflow, or embedded in this process:
  --batch reconcile|backfill   works on those that were asked for and are open, and ends`;

const PARALLELISM_MAX = 1_024;
const CHECKPOINT_MS_MIN = 100;
const CHECKPOINT_MS_MAX = 3_600_000;

const wholeNumber = (max: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'is no whole number')
    .transform(Number)
    .pipe(z.number().min(1).max(max));

/** `500ms`, `5s` or `1m`, as milliseconds. */
const duration = z
  .string()
  .regex(/^\d{1,7}(?:ms|s|m)$/, 'is no time such as 5s, 500ms or 1m')
  .transform((text) => Number.parseInt(text, 10) * UNIT_MS[text.replace(/^\d+/, '') as keyof typeof UNIT_MS])
  .pipe(z.number().min(CHECKPOINT_MS_MIN).max(CHECKPOINT_MS_MAX));

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000 } as const;

const argumentsSchema = z
  .strictObject({
    runner: z.enum(['embedded', 'prism', 'flink', 'dataflow']),
    batch: z.enum(['reconcile', 'backfill']).optional(),
    name: z.string().regex(JOB_NAME, 'is no name of a job: letters, digits and hyphens').optional(),
    readers: wholeNumber(1_000).optional(),
    json: z.boolean().default(false),
    drain: z.boolean().default(false),
    'job-endpoint': z
      .string()
      .regex(/^[^\s/]+:\d{1,5}$/, 'is no host:port')
      .optional(),
    'flink-rest': z.url({ protocol: /^https?$/ }).optional(),
    'checkpoint-url': z.url().optional(),
    parallelism: wholeNumber(PARALLELISM_MAX).optional(),
    workers: wholeNumber(PARALLELISM_MAX).optional(),
    checkpoint: duration.optional(),
    'task-managers': wholeNumber(100).optional(),
    folder: z.string().min(1).optional(),
    read: z.enum(['java'], 'is java, or not given').optional(),
    'dry-run': z.boolean().default(false),
    out: z.string().min(1).optional(),
    update: z.boolean().default(false),
    validate: z.boolean().default(false),
    cancel: z.boolean().default(false),
  })
  .superRefine((given, context) => {
    for (const [name, runners] of Object.entries(ONLY_FOR)) {
      const value = given[name as keyof typeof given];
      if (value !== undefined && value !== false && !runners.includes(given.runner))
        context.addIssue(`--${name} is not for --runner ${given.runner}`);
    }
    if (given.runner === 'flink' && given['job-endpoint'] !== undefined) {
      if (given['flink-rest'] === undefined)
        context.addIssue('--flink-rest is missing: jobs of a cluster that runs already are ended there');
      if (given['checkpoint-url'] === undefined && !given.drain)
        context.addIssue('--checkpoint-url is missing: where a cluster that runs already can write');
    }
    for (const issue of javaReadIssues(given)) context.addIssue(issue);
    for (const name of NOT_FOR_BATCH)
      if (given.batch !== undefined && given[name] !== undefined && given[name] !== false)
        context.addIssue(`--${name} is not for --batch`);
    if (given.runner === 'embedded' && given.batch === undefined)
      context.addIssue('--runner embedded is for --batch; the embedded pipeline is started by npm start');
    if (given.drain && given.runner !== 'dataflow' && given['job-endpoint'] === undefined)
      context.addIssue('--drain is for an engine that runs already: --job-endpoint is missing');
  });

/** Its messages are acknowledged before they are committed, so that it needs more of its engine than others do. */
function javaReadIssues(given: {
  readonly [name in 'read' | 'folder' | 'batch' | 'job-endpoint' | 'readers']?: unknown;
}): string[] {
  if (given.read === undefined) return [];
  const refused = ['batch', 'job-endpoint', 'readers'] as const;
  return [
    ...(given.folder === undefined
      ? ['--folder is missing: --read java keeps in it what is acknowledged and not committed']
      : []),
    ...refused.filter((name) => given[name] !== undefined).map((name) => `--${name} is not for --read java`),
  ];
}

/** An option that a runner would not heed is refused, so that nobody relies on it. */
const ONLY_FOR: Readonly<Record<string, readonly string[]>> = {
  batch: ['embedded', 'prism', 'flink', 'dataflow'],
  drain: ['prism', 'flink', 'dataflow'],
  readers: ['prism', 'flink', 'dataflow'],
  'job-endpoint': ['prism', 'flink'],
  'flink-rest': ['flink'],
  'checkpoint-url': ['flink'],
  parallelism: ['flink'],
  workers: ['flink'],
  checkpoint: ['flink'],
  'task-managers': ['flink'],
  folder: ['flink'],
  read: ['flink'],
  'dry-run': ['dataflow'],
  out: ['dataflow'],
  update: ['dataflow'],
  validate: ['dataflow'],
  cancel: ['dataflow'],
};

/** What a streaming job has, and a bounded one has not. */
const NOT_FOR_BATCH = ['name', 'readers', 'drain', 'update', 'validate', 'cancel'] as const;

export type PipelineArguments = z.output<typeof argumentsSchema>;

const STRINGS = [
  'runner',
  'batch',
  'name',
  'readers',
  'job-endpoint',
  'flink-rest',
  'checkpoint-url',
  'parallelism',
  'workers',
  'checkpoint',
  'task-managers',
  'folder',
  'read',
  'out',
] as const;
const BOOLEANS = ['json', 'drain', 'dry-run', 'update', 'validate', 'cancel'] as const;

/** Throws an error that names every argument that makes no sense. */
export function parsePipelineArguments(args: readonly string[]): PipelineArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(STRINGS.map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(BOOLEANS.map((name) => [name, { type: 'boolean' as const }])),
    },
  });
  const parsed = argumentsSchema.safeParse(values);
  if (!parsed.success) throw new Error(`the arguments are wrong:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
