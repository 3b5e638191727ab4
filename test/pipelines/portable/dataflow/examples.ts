import { buildPipeline } from '#pipelines/beam/graph.ts';
import type { PipelineProto } from '#pipelines/beam/sdk.ts';
import { buildPortableUsageGraph } from '#pipelines/portable/graph.ts';

export const IMAGE = `europe-west1-docker.pkg.dev/acme-usage/millrace/dataflow-worker@sha256:${'0123456789abcdef'.repeat(4)}`;

/** The environment of a launch, as Terraform's outputs say it. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  MILLRACE_BACKEND: 'gcp',
  MILLRACE_PROJECT: 'acme-usage',
  MILLRACE_SPANNER_INSTANCE: 'millrace',
  MILLRACE_SPANNER_DATABASE: 'millrace',
  MILLRACE_BIGQUERY_DATASET: 'millrace',
  MILLRACE_BIGQUERY_LOCATION: 'europe-west1',
  MILLRACE_API_TOPIC: 'millrace-api',
  MILLRACE_RELEASE: 'R1.2',
  MILLRACE_FEEDS: JSON.stringify([
    { feed: 'api', namespaces: 'attribute', subscription: 'millrace-api-worker', topic: 'millrace-api' },
    { feed: 'usage', namespace: 'default', subscription: 'millrace-usage-worker', topic: 'millrace-usage' },
  ]),
  MILLRACE_DATAFLOW_REGION: 'europe-west1',
  MILLRACE_DATAFLOW_IMAGE: IMAGE,
  MILLRACE_DATAFLOW_STAGING: 'gs://acme-usage-millrace-dataflow/staging',
  MILLRACE_DATAFLOW_TEMP: 'gs://acme-usage-millrace-dataflow/temp',
  MILLRACE_DATAFLOW_SERVICE_ACCOUNT: 'millrace-dataflow@acme-usage.iam.gserviceaccount.com',
  MILLRACE_DATAFLOW_SUBNETWORK: 'projects/acme-usage/regions/europe-west1/subnetworks/millrace-europe-west1',
};

/** The usage graph of both feeds, built anew each time. */
export const usagePipeline = (): PipelineProto =>
  buildPipeline((root) =>
    buildPortableUsageGraph(root, {
      feeds: [
        { feed: 'api', rule: { kind: 'attribute', strays: 'default' } },
        { feed: 'usage', rule: { kind: 'fixed', namespace: 'default' } },
      ],
    }),
  );
