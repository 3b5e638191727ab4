import { expect } from 'chai';
import { readTelemetrySettings } from '#infra/telemetry/settings.ts';

describe('the settings of telemetry', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/' };

  it('are none without a collector, or where it is turned off', () => {
    expect(readTelemetrySettings({})).to.equal(undefined);
    expect(readTelemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).to.equal(undefined);
    expect(readTelemetrySettings({ ...endpoint, OTEL_SDK_DISABLED: 'true' })).to.equal(undefined);
  });

  it('have defaults, and what is said of the process', () => {
    expect(
      readTelemetrySettings({ ...endpoint, OTEL_RESOURCE_ATTRIBUTES: 'team=billing, zone=eu%2Fwest,broken' }),
    ).to.deep.equal({
      endpoint: 'http://127.0.0.1:4318',
      sampledShare: 0.01,
      metricsEveryMs: 60_000,
      resource: { team: 'billing', zone: 'eu/west' },
    });
  });

  it('name each variable that is wrong', () => {
    const wrong = { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector', OTEL_TRACES_SAMPLER_ARG: '2' };
    expect(() => readTelemetrySettings(wrong))
      .to.throw()
      .with.property('message')
      .that.includes('OTEL_EXPORTER_OTLP_ENDPOINT')
      .and.includes('OTEL_TRACES_SAMPLER_ARG');
  });
});
