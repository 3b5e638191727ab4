import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { localPaths } from '#infra/local/open-local.ts';
import { withApi } from '#test/support/api-server.ts';

const CHANGES = 10;

describe('the API while another program keeps the lock of its database', () => {
  it('answers all changes that wait 503 together, and not one after the other', () =>
    withApi(async ({ call, directory, cleanup }) => {
      const other = new DatabaseSync(localPaths(directory).database, { timeout: 10_000 });
      cleanup.defer(async () => other.close());
      const change = (at: number) =>
        call({ method: 'PUT', path: `/v1/features/f-${at}`, body: { name: 'Waiting' } });
      expect((await change(CHANGES)).status).to.equal(201);
      other.exec('BEGIN IMMEDIATE');
      const waiting = Array.from({ length: CHANGES }, (_, at) => change(at));
      const first = await waiting[0];
      expect(first?.status, first?.text).to.equal(503);
      // Those that came with the first have waited as long: none begins to wait anew, for half a minute each.
      const rest = Promise.all(waiting);
      const newcomer = change(CHANGES + 1);
      const sooner = await Promise.race([rest.then(() => 'the others'), newcomer.then(() => 'the newcomer')]);
      expect(sooner).to.equal('the others');
      for (const { status, headers } of await rest) {
        expect(status).to.equal(503);
        expect(headers.get('retry-after')).to.match(/^[1-9]\d*$/);
      }
      other.exec('ROLLBACK');
      expect((await newcomer).status, 'it still waits, and the lock has come free').to.equal(201);
      expect((await change(0)).status).to.equal(201);
    }));
});
