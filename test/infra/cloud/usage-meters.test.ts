import { expect } from 'chai';
import { putMeter } from '#infra/catalogue/put-meter.ts';
import { CATALOGUE_TABLES } from '#infra/catalogue/tables.ts';
import { readUsageMeters } from '#infra/cloud/usage-meters.ts';
import { onBothDrivers } from '#test/support/both-drivers.ts';

const CALLS = { name: 'Calls', eventType: 'llm.request', aggregation: 'count' } as const;
const TOKENS = { name: 'Tokens', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' } as const;

describe('the meters of the usage views', () => {
  onBothDrivers(CATALOGUE_TABLES, (test) => {
    test('are every generation in every namespace, each once, however often it was renamed', async (database) => {
      await putMeter(database, { namespace: 'default', key: 'calls', definition: CALLS });
      await putMeter(database, {
        namespace: 'default',
        key: 'calls',
        definition: { ...CALLS, name: 'All calls' },
      });
      await putMeter(database, { namespace: 'default', key: 'tokens', definition: TOKENS });
      await putMeter(database, {
        namespace: 'default',
        key: 'tokens',
        definition: { ...TOKENS, value: 'usage.tokens' },
      });
      await putMeter(database, { namespace: 'shop', key: 'tokens', definition: TOKENS });
      expect(await readUsageMeters(database)).to.have.deep.members([
        { namespace: 'default', label: 'calls@1', aggregation: 'count', value: undefined },
        { namespace: 'default', label: 'tokens@1', aggregation: 'sum', value: 'tokens' },
        { namespace: 'default', label: 'tokens@2', aggregation: 'sum', value: 'usage.tokens' },
        { namespace: 'shop', label: 'tokens@1', aggregation: 'sum', value: 'tokens' },
      ]);
    });
  });
});
