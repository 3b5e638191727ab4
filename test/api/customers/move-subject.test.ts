import { expect } from 'chai';
import { withApi } from '#test/support/api-server.ts';

describe('POST /v1/subjects/{subject}/move', () => {
  it('shows whose a subject would be, and moves it only without preview', () =>
    withApi(async ({ call }) => {
      await call({ method: 'PUT', path: '/v1/customers/one', body: { name: 'One', subjects: ['zeta'] } });
      await call({ method: 'PUT', path: '/v1/customers/two', body: { name: 'Two', subjects: [] } });
      const before = await call({ method: 'GET', path: '/v1/subjects/zeta' });
      const body = { to: 'two', from: '2026-03-20T00:00:00Z' };
      const foreseen = await call({ method: 'POST', path: '/v1/subjects/zeta/move?preview=true', body });
      expect((await call({ method: 'GET', path: '/v1/subjects/zeta' })).body).to.deep.equal(before.body);
      const moved = await call({ method: 'POST', path: '/v1/subjects/zeta/move', body });
      expect(moved.body).to.deep.equal(foreseen.body).and.not.deep.equal(before.body);
    }));
});
