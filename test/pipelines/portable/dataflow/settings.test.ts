import { expect } from 'chai';
import { readDataflowSettings } from '#pipelines/portable/dataflow/settings.ts';
import { ENVIRONMENT } from './examples.ts';

const WRONG: Readonly<Record<string, readonly string[]>> = {
  MILLRACE_DATAFLOW_REGION: ['europe', 'europe-west1-b', 'europe-west1/x'],
  MILLRACE_DATAFLOW_JOB: ['Usage', '1usage', 'usage-', 'a'.repeat(64), 'us/age'],
  MILLRACE_DATAFLOW_IMAGE: ['worker:latest', 'eu/worker', `eu/worker@sha256:${'0'.repeat(63)}`],
  MILLRACE_DATAFLOW_STAGING: ['/staging', 's3://bucket/x'],
  MILLRACE_DATAFLOW_TEMP: ['temp'],
  MILLRACE_DATAFLOW_SERVICE_ACCOUNT: ['me@example.com', 'millrace'],
  MILLRACE_DATAFLOW_SUBNETWORK: [
    'default',
    'https://example.com/compute/v1/projects/p/regions/r/subnetworks/s',
  ],
  MILLRACE_DATAFLOW_MACHINE_TYPE: ['n2', 'n2 standard'],
  MILLRACE_DATAFLOW_WORKERS_MIN: ['0', '11', '-1', '1.5'],
  MILLRACE_DATAFLOW_WORKERS_MAX: ['0', '1001', 'many'],
  MILLRACE_DATAFLOW_DISK_GB: ['29'],
  MILLRACE_DATAFLOW_THREADS: ['0'],
  MILLRACE_DATAFLOW_STREAMING_MODE: ['sometimes'],
  MILLRACE_DATAFLOW_KMS_KEY: ['key'],
  MILLRACE_DATAFLOW_LABELS: ['team=billing', '{"Team":"x"}', '{"team":"Big"}', '[]'],
};

describe('the settings of a job on Dataflow', () => {
  it('are read, and have defaults where nothing is at stake', () => {
    expect(readDataflowSettings(ENVIRONMENT)).to.deep.include({
      project: 'acme-usage',
      name: 'millrace-usage',
      machineType: 'n2-standard-2',
      workers: { min: 1, max: 10 },
      streamingMode: 'exactly-once',
      staging: { bucket: 'acme-usage-millrace-dataflow', path: 'staging' },
    });
  });

  for (const [name, values] of Object.entries(WRONG))
    it(`name ${name} when it is wrong`, () => {
      for (const value of values)
        expect(() => readDataflowSettings({ ...ENVIRONMENT, [name]: value }), value).to.throw(name);
    });

  it('name every variable that is missing, one that is empty too', () => {
    const required = Object.keys(ENVIRONMENT).filter((name) => name.startsWith('MILLRACE_DATAFLOW_'));
    const empty = Object.fromEntries(required.map((name) => [name, '']));
    for (const name of required)
      expect(() => readDataflowSettings({ ...ENVIRONMENT, ...empty })).to.throw(name);
  });

  it('are refused on emulators, which no worker of Dataflow reaches', () => {
    const emulators = {
      SPANNER_EMULATOR_HOST: '127.0.0.1:9010',
      PUBSUB_EMULATOR_HOST: '127.0.0.1:8085',
      BIGQUERY_EMULATOR_HOST: 'http://127.0.0.1:9050',
      BIGQUERY_STORAGE_EMULATOR_HOST: '127.0.0.1:9060',
    };
    expect(() => readDataflowSettings({ ...ENVIRONMENT, ...emulators })).to.throw('emulators');
  });
});
