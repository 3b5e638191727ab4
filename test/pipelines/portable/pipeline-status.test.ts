import { expect } from 'chai';
import { createPipelineMetrics } from '#pipelines/portable/pipeline-metrics.ts';
import { statusJson, statusLine, type PipelineStatus } from '#pipelines/portable/pipeline-status.ts';
import { createStatusTeller } from '#pipelines/portable/tell-status.ts';
import { workerVariablesOf } from '#pipelines/portable/worker-environment.ts';

const STATUS: PipelineStatus = {
  at: 1_767_225_600_000_000,
  name: 'usage',
  runner: 'flink',
  state: 'RUNNING',
  lagMs: 1_234,
  commitAgeMs: 56,
  restarts: 2,
  workers: 4,
  alarm: undefined,
};

describe('how a pipeline stands', () => {
  it('is one line for people', () => {
    expect(statusLine(STATUS)).to.equal(
      'usage on flink: RUNNING | lag 1.2 s | last commit 0.1 s ago | restarts 2 | workers 4',
    );
    expect(
      statusLine({ ...STATUS, lagMs: undefined, workers: undefined, state: 'unknown', alarm: 'no' }),
    ).to.equal(
      'usage on flink: unknown | lag unknown | last commit 0.1 s ago | restarts 2 | workers not seen | ALARM: no',
    );
  });

  it('is one line of JSON for programs', () => {
    expect(JSON.parse(statusJson(STATUS))).to.deep.equal({
      event: 'status',
      at: '2026-01-01T00:00:00.000Z',
      name: 'usage',
      runner: 'flink',
      state: 'RUNNING',
      lagMs: 1_234,
      commitAgeMs: 56,
      restarts: 2,
      workers: 4,
    });
  });

  const written = (isTerminal: boolean, json = false) => {
    let now = 0;
    const texts: string[] = [];
    const output = { isTerminal, columns: () => 30, write: (text: string) => void texts.push(text) };
    const teller = createStatusTeller(output, { json, now: () => now });
    return { teller, texts, pass: (seconds: number) => (now += seconds * 1_000_000) };
  };

  it('is told on one line of a terminal, which never wraps, and which ends when the telling does', () => {
    const { teller, texts } = written(true);
    teller.tell(STATUS);
    teller.tell(STATUS);
    teller.end();
    expect(texts).to.deep.equal([
      '\r\u001b[2Kusage on flink: RUNNING | lag',
      '\r\u001b[2Kusage on flink: RUNNING | lag',
      '\n',
    ]);
  });

  it('is told elsewhere every five seconds, and at once when something has happened', () => {
    const { teller, texts, pass } = written(false);
    teller.tell(STATUS);
    teller.tell({ ...STATUS, lagMs: 5 });
    expect(texts).to.have.length(1);
    teller.tell({ ...STATUS, restarts: 3 });
    expect(texts).to.have.length(2);
    pass(5);
    teller.tell({ ...STATUS, restarts: 3 });
    teller.end();
    expect(texts).to.have.length(3);
    expect(texts.every((text) => text.endsWith('\n'))).to.equal(true);
  });

  it('is told to programs every time, on a terminal too', () => {
    const { teller, texts } = written(true, true);
    teller.tell(STATUS);
    teller.tell(STATUS);
    teller.end();
    expect(texts).to.have.length(2);
  });

  it('is measured, and what is not known is absent', async () => {
    const metrics = createPipelineMetrics();
    metrics.note(STATUS);
    metrics.alarmed();
    const text = (await metrics.read()).text;
    for (const line of [
      'millrace_portable_job_up 1',
      'millrace_portable_lag_seconds 1.234',
      'millrace_portable_last_commit_age_seconds 0.056',
      'millrace_portable_restarts 2',
      'millrace_portable_workers 4',
      'millrace_portable_alarm 0',
      'millrace_portable_alarms_total 1',
    ])
      expect(text.split('\n')).to.include(line);
    metrics.note({ ...STATUS, lagMs: undefined, workers: undefined, state: 'FAILED', alarm: 'no' });
    const unknown = (await metrics.read()).text;
    expect(unknown).not.to.match(/^millrace_portable_(?:lag_seconds|workers) /m);
    expect(unknown)
      .to.match(/^millrace_portable_job_up 0$/m)
      .and.to.match(/^millrace_portable_alarm 1$/m);
  });
});

describe('the environment of workers', () => {
  it('has the settings of the stores and nothing that is secret or strange', () => {
    const variables = workerVariablesOf({
      MILLRACE_BACKEND: 'gcp',
      MILLRACE_PROJECT: 'p',
      SPANNER_EMULATOR_HOST: 'localhost:1',
      MILLRACE_HELD_MESSAGES: '10',
      MILLRACE_BATCH_MESSAGES: '',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer secret',
      GOOGLE_APPLICATION_CREDENTIALS: '/key.json',
      MILLRACE_KEY: 'secret',
      PATH: '/bin',
    });
    expect(variables).to.deep.equal({
      MILLRACE_BACKEND: 'gcp',
      MILLRACE_PROJECT: 'p',
      SPANNER_EMULATOR_HOST: 'localhost:1',
      MILLRACE_HELD_MESSAGES: '10',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector',
    });
  });

  it('says where embedded stores lie so that it does not depend on where the worker begins', () => {
    expect(workerVariablesOf({ MILLRACE_DATA_DIR: 'data' })['MILLRACE_DATA_DIR']).to.equal(
      `${process.cwd()}/data`,
    );
  });
});
