import { z } from 'zod';
import { isOnEmulators, readCloudSettings } from '#infra/cloud/settings.ts';
import { parseStoragePlace, type StoragePlace } from '#infra/engines/dataflow/staging.ts';
import { workerVariablesOf } from '../worker-environment.ts';
import { JOB_NAME } from '../worker-variables.ts';
import { jsonText, readVariables, wholeNumberText } from '#infra/variables.ts';

const WORKERS_MAX = 1_000;
const DISK_GB_MIN = 30;
const DISK_GB_MAX = 65_536;
const THREADS_MAX = 1_000;
/** As Dataflow has them, and few: they are also labels of machines. */
const LABELS_MAX = 32;

const required = (what: string) => z.string({ error: `is missing: ${what}` });

const storagePlace = (what: string) =>
  required(what).transform((text, context): StoragePlace => {
    const place = parseStoragePlace(text);
    if (place !== undefined) return place;
    context.addIssue({ code: 'custom', message: 'is no gs://bucket/folder' });
    return z.NEVER;
  });

/** A label may hold neither capitals nor dots; the name begins with a letter. */
const labelsSchema = jsonText
  .pipe(z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/), z.string().regex(/^[a-z0-9_-]{0,63}$/)))
  .refine((labels) => Object.keys(labels).length <= LABELS_MAX, 'are too many labels');

/** The name of a job, which is what operators know it by. Dataflow allows more, its dashboards less. */
export const jobName = z.string().regex(JOB_NAME, 'is no name of a job: small letters, digits and dashes');

/** The variables of a job on Dataflow, beside those of the stores. */
export const dataflowVariables = z.object({
  MILLRACE_DATAFLOW_REGION: required('the region of the job')
    .regex(/^[a-z]+(?:-[a-z]+)+\d+$/, 'is no region')
    .describe('Where the job runs'),
  MILLRACE_DATAFLOW_JOB: jobName.default('millrace-usage').describe('The name of the job'),
  MILLRACE_DATAFLOW_IMAGE: required('the image of the workers, by its digest')
    .regex(/^[\w.-]+(?::\d+)?(?:\/[\w.-]+)+@sha256:[0-9a-f]{64}$/, 'is no image by its digest: …@sha256:…')
    .describe('The image of the workers, by its digest'),
  MILLRACE_DATAFLOW_STAGING: storagePlace('where the pipeline is put').describe(
    'Where the pipeline is put, `gs://bucket/folder`',
  ),
  MILLRACE_DATAFLOW_TEMP: storagePlace('where the job keeps temporary files').describe(
    'Where the job keeps temporary files, `gs://bucket/folder`',
  ),
  MILLRACE_DATAFLOW_SERVICE_ACCOUNT: required('the account of the workers')
    .regex(/^[a-z0-9-]+@[a-z0-9.:-]+\.iam\.gserviceaccount\.com$/, 'is no service account')
    .describe('The account of the workers'),
  MILLRACE_DATAFLOW_SUBNETWORK: required('the subnetwork of the workers')
    .transform((text) => text.replace(/^(?=projects\/)/, 'https://www.googleapis.com/compute/v1/'))
    .pipe(
      z
        .string()
        .regex(
          /^(?:https:\/\/www\.googleapis\.com\/compute\/v1\/projects\/[\w.:-]+\/)?regions\/[\w-]+\/subnetworks\/[\w-]+$/,
          'is no regions/…/subnetworks/…',
        ),
    )
    .describe('The subnetwork of the workers, `regions/…/subnetworks/…`; they have no public addresses'),
  MILLRACE_DATAFLOW_MACHINE_TYPE: z
    .string()
    .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+$/, 'is no type of machine')
    .default('n2-standard-2')
    .describe('The machines of the workers; one Node process for each of their CPUs'),
  MILLRACE_DATAFLOW_WORKERS_MIN: wholeNumberText(1, WORKERS_MAX).default(1).describe('The fewest machines'),
  MILLRACE_DATAFLOW_WORKERS_MAX: wholeNumberText(1, WORKERS_MAX).default(10).describe('The most machines'),
  MILLRACE_DATAFLOW_DISK_GB: wholeNumberText(DISK_GB_MIN, DISK_GB_MAX)
    .default(DISK_GB_MIN)
    .describe('The disk of a machine, which holds its system and the image'),
  MILLRACE_DATAFLOW_THREADS: wholeNumberText(1, THREADS_MAX)
    .optional()
    .describe('Bundles that a machine works on at once; Dataflow decides unless it is set'),
  MILLRACE_DATAFLOW_STREAMING_MODE: z
    .enum(['exactly-once', 'at-least-once'])
    .default('exactly-once')
    .describe('What Dataflow itself promises between steps; usage is exact with either'),
  MILLRACE_DATAFLOW_KMS_KEY: z
    .string()
    .regex(/^projects\/[\w.:-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/, 'is no key')
    .optional()
    .describe('The key that encrypts what the job keeps'),
  MILLRACE_DATAFLOW_LABELS: labelsSchema
    .default({})
    .describe('Labels of the job, a JSON object, beside `application` and `release`'),
});

/** Everything that is said about a job, checked. */
export interface DataflowSettings {
  readonly project: string;
  readonly region: string;
  readonly name: string;
  readonly image: string;
  readonly staging: StoragePlace;
  readonly temp: StoragePlace;
  readonly serviceAccount: string;
  readonly subnetwork: string;
  readonly machineType: string;
  readonly workers: { readonly min: number; readonly max: number };
  readonly diskGb: number;
  readonly threads: number | undefined;
  readonly streamingMode: 'exactly-once' | 'at-least-once';
  readonly kmsKey: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The variables that the workers are given. */
  readonly workerEnvironment: Readonly<Record<string, string>>;
}

/** Throws an error that names every variable that is wrong or missing. One that is empty counts as not set. */
export function readDataflowSettings(environment: NodeJS.ProcessEnv): DataflowSettings {
  const cloud = readCloudSettings(environment);
  if (isOnEmulators(cloud))
    throw new Error('the environment is wrong:\nworkers on Dataflow do not reach emulators of this machine');
  const variables = readVariables(
    dataflowVariables.refine(
      ({ MILLRACE_DATAFLOW_WORKERS_MIN: min, MILLRACE_DATAFLOW_WORKERS_MAX: max }) => min <= max,
      'MILLRACE_DATAFLOW_WORKERS_MIN is above MILLRACE_DATAFLOW_WORKERS_MAX',
    ),
    environment,
  );
  return toSettings(variables, cloud.projectId, environment);
}

function toSettings(
  variables: z.output<typeof dataflowVariables>,
  project: string,
  environment: NodeJS.ProcessEnv,
): DataflowSettings {
  return {
    project,
    region: variables.MILLRACE_DATAFLOW_REGION,
    name: variables.MILLRACE_DATAFLOW_JOB,
    image: variables.MILLRACE_DATAFLOW_IMAGE,
    staging: variables.MILLRACE_DATAFLOW_STAGING,
    temp: variables.MILLRACE_DATAFLOW_TEMP,
    serviceAccount: variables.MILLRACE_DATAFLOW_SERVICE_ACCOUNT,
    subnetwork: variables.MILLRACE_DATAFLOW_SUBNETWORK,
    machineType: variables.MILLRACE_DATAFLOW_MACHINE_TYPE,
    workers: {
      min: variables.MILLRACE_DATAFLOW_WORKERS_MIN,
      max: variables.MILLRACE_DATAFLOW_WORKERS_MAX,
    },
    diskGb: variables.MILLRACE_DATAFLOW_DISK_GB,
    threads: variables.MILLRACE_DATAFLOW_THREADS,
    streamingMode: variables.MILLRACE_DATAFLOW_STREAMING_MODE,
    kmsKey: variables.MILLRACE_DATAFLOW_KMS_KEY,
    labels: variables.MILLRACE_DATAFLOW_LABELS,
    workerEnvironment: workerEnvironment(environment, project),
  };
}

/** None of them is a secret: options of a job are shown to everybody who may see it. Folders of this machine mean nothing there. */
function workerEnvironment(environment: NodeJS.ProcessEnv, project: string): Record<string, string> {
  const { MILLRACE_DATA_DIR: _, ...variables } = workerVariablesOf(environment);
  const all = { ...variables, MILLRACE_BACKEND: 'gcp', MILLRACE_PROJECT: project };
  return Object.fromEntries(Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1)));
}
