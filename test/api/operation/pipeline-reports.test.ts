import { expect } from 'chai';
import { createPipelineReports } from '#api/operation/pipeline-reports.ts';
import { emptyCounters } from '#pipelines/usage/counters.ts';
import { withApi } from '#test/support/api-server.ts';

const REPORT = {
  counters: { ...emptyCounters(), accepted_total: 7, dead_letter_total: { too_old: 2, malformed_json: 1 } },
  cpuMicros: { user: 1_500_000, system: 500_000 },
  residentBytes: 4_096,
};

describe('what the pipeline says of itself', () => {
  it('is shown by the API that runs beside it, for as long as it runs', () =>
    withApi(async ({ api, call }) => {
      const metrics = async (): Promise<string> => (await call({ path: '/metrics', key: null })).text;
      expect(await metrics())
        .to.include('millrace_pipeline_up 0')
        .and.not.to.include('millrace_usage_');
      api.services.pipeline.take({ pipeline: REPORT });
      const shown = await metrics();
      for (const line of [
        'millrace_pipeline_up 1',
        'millrace_pipeline_resident_bytes 4096',
        'millrace_pipeline_cpu_seconds_total 2',
        '# TYPE millrace_usage_accepted_total counter',
        'millrace_usage_accepted_total 7',
        'millrace_usage_dead_letter_total{reason="too_old"} 2',
        'millrace_usage_dead_letter_total{reason="malformed_json"} 1',
      ])
        expect(shown.split('\n')).to.include(line);
      api.services.pipeline.take({ pipeline: { ...REPORT, counters: emptyCounters() } });
      expect(await metrics())
        .to.include('millrace_usage_accepted_total 0')
        .and.not.to.include('too_old');
      api.services.pipeline.take({ pipeline: null });
      const gone = (await metrics()).split('\n');
      expect(gone).to.include('millrace_pipeline_up 0').and.not.to.include('millrace_usage_accepted_total 0');
    }));

  it('is passed over where it is no report', () => {
    const reports = createPipelineReports();
    for (const message of [
      undefined,
      null,
      'x',
      {},
      { pipeline: {} },
      { pipeline: { ...REPORT, counters: 1 } },
    ])
      reports.take(message);
    expect(reports.latest).to.equal(undefined);
    reports.take({ pipeline: REPORT });
    reports.take({ pipeline: 'x' });
    expect(reports.latest).to.deep.equal(REPORT);
  });
});
