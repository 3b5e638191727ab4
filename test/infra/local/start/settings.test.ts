import { expect } from 'chai';
import { resolve } from 'node:path';
import { isLoopback, readStartSettings } from '#infra/local/start/settings.ts';

describe('the settings of a server', () => {
  it('need none set, and then keep to this machine', () => {
    expect(readStartSettings({ PATH: '/bin' })).to.deep.equal({
      directory: resolve('.millrace'),
      host: '127.0.0.1',
      port: 8_080,
      logLevel: 'warn',
      latenessSeconds: 3_600,
      graceSeconds: 10,
      keyEventsPerSecond: 20_000,
      keyBytesPerSecond: 20_000_000,
    });
  });

  it('take an empty variable for one that is not set', () => {
    expect(readStartSettings({ MILLRACE_PORT: '', MILLRACE_HOST: '' })).to.include({
      host: '127.0.0.1',
      port: 8_080,
    });
  });

  it('name every variable that is wrong', () => {
    const wrong = {
      MILLRACE_PORT: '65536',
      MILLRACE_LATENESS_SECONDS: '1h',
      MILLRACE_GRACE_SECONDS: '0x10',
      MILLRACE_LOG_LEVEL: 'loud',
    };
    const read = () => readStartSettings(wrong);
    for (const name of Object.keys(wrong)) expect(read).to.throw(name);
  });

  it('know what only this machine can reach', () => {
    expect(['localhost', '127.0.0.1', '127.1.2.3', '::1'].filter(isLoopback)).to.have.length(4);
    expect(['0.0.0.0', '::', '192.168.1.1', 'example.org', '1127.0.0.1'].filter(isLoopback)).to.deep.equal(
      [],
    );
  });
});
