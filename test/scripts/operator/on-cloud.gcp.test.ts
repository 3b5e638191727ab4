import { expect } from 'chai';
import { createKeyRing } from '#infra/access/key-ring.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { useEmulators } from '#test/support/emulators.ts';
import { invoicesCommand } from '../../../scripts/operator/invoices-command.ts';
import { keysCommand } from '../../../scripts/operator/keys-command.ts';
import { openPlatform, openPlatformDatabase } from '../../../scripts/operator/open-platform.ts';
import { invocation, type RecordedTerminal } from './recorded-terminal.ts';

describe('commands of an operator on a platform on Google Cloud', () => {
  const emulators = useEmulators();
  const environment = (): Record<string, string> => {
    const api = emulators.pubsubName('api');
    return {
      ...emulators.environment,
      MILLRACE_BACKEND: 'gcp',
      MILLRACE_API_TOPIC: api,
      MILLRACE_FEEDS: JSON.stringify([
        { feed: 'api', topic: api, subscription: api, namespaces: 'attribute' },
      ]),
    };
  };
  const call = async (command: typeof keysCommand, ...args: readonly string[]): Promise<RecordedTerminal> => {
    const called = invocation('', args);
    await command({ ...called, environment: environment() });
    return called.terminal;
  };
  const opening = () => ({ environment: environment(), clock: systemScheduler.now, tag: 'test' });

  before('a platform that is prepared', async () => {
    const stores = await openPlatform(opening());
    await stores.close();
  });

  it('make a key that every process knows', async () => {
    const made = await call(keysCommand, 'create', '--namespace', 'shop', '--scopes', 'usage:read');
    const database = await openPlatformDatabase(opening());
    try {
      const principal = await createKeyRing(database).authenticate(
        made.written().trim(),
        systemScheduler.now(),
      );
      expect(principal).to.deep.include({ namespace: 'shop', scopes: ['usage:read'] });
    } finally {
      await database.close();
    }
    expect((await call(keysCommand, 'list', '--namespace', 'shop')).written()).to.include('usage:read');
  });

  it('bill everybody of whom something is due, which is nobody', async () => {
    const billed = await call(invoicesCommand, '--namespace', 'shop');
    expect(billed.written()).to.match(/^Billed as of [^]*customers {2}0\n {2}invoices {3}0/);
  });
});
