import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { impulse } from '#pipelines/beam/fan-out.ts';
import { buildPipeline } from '#pipelines/beam/graph.ts';
import { readPipelineOptions } from '#pipelines/beam/pipeline-options.ts';
import { modulesOf } from '#pipelines/beam/worker-settings.ts';
import { NotPortable } from '#pipelines/beam/portability.ts';
import { registeredModules } from '#pipelines/beam/registration.ts';
import { runnerApi } from '#pipelines/beam/sdk.ts';
import { prepareJob } from '#pipelines/portable/dataflow/dataflow-job.ts';
import { readDataflowSettings } from '#pipelines/portable/dataflow/settings.ts';
import { unknownField } from '#test/infra/engines/dataflow/google-server.ts';
import { ENVIRONMENT, IMAGE, usagePipeline } from './examples.ts';

const prepare = (more: Readonly<Record<string, string>> = {}) =>
  prepareJob(usagePipeline(), readDataflowSettings({ ...ENVIRONMENT, ...more }));

describe('a job on Dataflow', () => {
  it('is the same for the same pipeline and settings, to the last byte', () => {
    const [one, other] = [prepare(), prepare()];
    expect(JSON.stringify(one.job)).to.equal(JSON.stringify(other.job));
    expect(Buffer.from(one.pipeline.bytes).equals(other.pipeline.bytes)).to.equal(true);
  });

  it('has only fields and values that the API knows', () => {
    const all = {
      MILLRACE_DATAFLOW_KMS_KEY: 'projects/p/locations/europe-west1/keyRings/millrace/cryptoKeys/dataflow',
      MILLRACE_DATAFLOW_THREADS: '12',
      MILLRACE_DATAFLOW_STREAMING_MODE: 'at-least-once',
      MILLRACE_DATAFLOW_LABELS: '{"team":"billing"}',
    };
    for (const more of [{}, all]) expect(unknownField('Job', prepare(more).job, 'job')).to.equal(undefined);
  });

  it('names its pipeline by what is in it', () => {
    const { job, pipeline } = prepare();
    const digest = createHash('sha256').update(pipeline.bytes).digest('hex');
    expect(pipeline.place).to.deep.equal({
      bucket: 'acme-usage-millrace-dataflow',
      path: `staging/${digest}/pipeline.pb`,
    });
    expect(job.environment.sdkPipelineOptions.options).to.include({
      pipelineUrl: `gs://acme-usage-millrace-dataflow/staging/${digest}/pipeline.pb`,
      pipelineProtoHash: digest,
    });
    expect(runnerApi.Pipeline.fromBinary(pipeline.bytes).rootTransformIds).to.not.be.empty;
  });

  it('asks for Runner v2 on the Streaming Engine, in a private network, under its own account', () => {
    const { job } = prepare();
    expect(job).to.deep.include({
      type: 'JOB_TYPE_STREAMING',
      name: 'millrace-usage',
      location: 'europe-west1',
      steps: [],
    });
    expect(job.environment).to.deep.include({
      experiments: [
        'beam_fn_api',
        'use_runner_v2',
        'use_unified_worker',
        'use_portable_job_submission',
        'use_sibling_sdk_workers',
        'enable_streaming_engine',
        'enable_windmill_service',
      ],
      serviceOptions: ['min_num_workers=1'],
      streamingMode: 'STREAMING_MODE_EXACTLY_ONCE',
      serviceAccountEmail: 'millrace-dataflow@acme-usage.iam.gserviceaccount.com',
      tempStoragePrefix: 'storage.googleapis.com/acme-usage-millrace-dataflow/temp',
    });
    expect(job.environment.workerPools[0]).to.deep.include({
      ipConfiguration: 'WORKER_IP_PRIVATE',
      subnetwork:
        'https://www.googleapis.com/compute/v1/projects/acme-usage/regions/europe-west1/subnetworks/millrace-europe-west1',
      autoscalingSettings: { algorithm: 'AUTOSCALING_ALGORITHM_BASIC', maxNumWorkers: 10 },
    });
  });

  it('says the same of its containers as its pipeline does, one process for each CPU', () => {
    const { job, pipeline } = prepare();
    const { components } = runnerApi.Pipeline.fromBinary(pipeline.bytes);
    const [[environmentId, { payload, capabilities }] = ['', undefined as never]] = Object.entries(
      components!.environments,
    );
    expect(job.environment.workerPools[0].sdkHarnessContainerImages).to.deep.equal([
      {
        containerImage: runnerApi.DockerPayload.fromBinary(payload).containerImage,
        environmentId,
        capabilities,
        useSingleCorePerContainer: true,
      },
    ]);
    expect(runnerApi.DockerPayload.fromBinary(payload).containerImage).to.equal(IMAGE);
  });

  it('tells workers what to load and where their stores are, and no secret', () => {
    const secrets = {
      GOOGLE_APPLICATION_CREDENTIALS: '/key.json',
      MILLRACE_KEY: 'secret',
      OTEL_EXPORTER_OTLP_HEADERS: 'key=secret',
    };
    const { options } = prepare(secrets).job.environment.sdkPipelineOptions;
    expect(modulesOf(readPipelineOptions({ options }))).to.deep.equal([...registeredModules()]);
    expect(options['millrace_environment']).to.deep.equal(
      Object.fromEntries(
        Object.entries(ENVIRONMENT)
          .filter(([name]) => !name.startsWith('MILLRACE_DATAFLOW_'))
          .sort(([one], [other]) => (one < other ? -1 : 1)),
      ),
    );
    expect(JSON.stringify(prepare(secrets).job))
      .to.not.include('secret')
      .and.not.include('key.json');
  });

  it('has a fixed number of machines where the most are the fewest', () => {
    const { job } = prepare({ MILLRACE_DATAFLOW_WORKERS_MIN: '3', MILLRACE_DATAFLOW_WORKERS_MAX: '3' });
    expect(job.environment.workerPools[0]).to.deep.include({
      numWorkers: 3,
      autoscalingSettings: { algorithm: 'AUTOSCALING_ALGORITHM_NONE', maxNumWorkers: 3 },
    });
  });

  it('is labelled by application and release, in letters that labels may have', () => {
    expect(
      prepare({ MILLRACE_DATAFLOW_LABELS: '{"team":"billing","release":"mine"}' }).job.labels,
    ).to.deep.equal({
      team: 'billing',
      application: 'millrace',
      release: 'r1-2',
    });
    const { MILLRACE_RELEASE: _, ...unnamed } = ENVIRONMENT;
    expect(prepareJob(usagePipeline(), readDataflowSettings(unnamed)).job.labels['release']).to.equal(
      '0123456789ab',
    );
  });

  it('is not made of a pipeline with a function by source', () => {
    const proto = buildPipeline((root) => void impulse(root).map((value: unknown) => value));
    expect(() => prepareJob(proto, readDataflowSettings(ENVIRONMENT))).to.throw(NotPortable);
  });
});
