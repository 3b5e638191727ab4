import { expect } from 'chai';
import { withApi } from '#test/support/api-server.ts';

interface Key {
  readonly id: string;
  readonly secret: string | null;
  readonly scopes: readonly string[];
}

const NEW_KEY = { name: 'producer', scopes: ['events:write'] };

describe('the routes of API keys', () => {
  it('make a key whose secret works at once, is told once, and lists without it', () =>
    withApi(async ({ call }) => {
      const created = await call({ method: 'POST', path: '/v1/api-keys', body: NEW_KEY });
      expect(created.status).to.equal(201);
      const { id, secret } = created.body as Key;
      expect(created.headers.get('location')).to.equal(`/v1/api-keys/${id}`);
      const used = await call({ path: '/v1/api-keys', key: secret });
      expect(used.status, 'the key is known, and lacks the scope').to.equal(403);
      const listed = await call({ path: '/v1/api-keys' });
      expect(listed.text).to.contain(id).and.not.contain(secret);
    }));

  it('give the first answer again under one Idempotency-Key, without the secret', () =>
    withApi(async ({ call }) => {
      const again = {
        method: 'POST',
        path: '/v1/api-keys',
        body: NEW_KEY,
        headers: { 'idempotency-key': 'k1' },
      };
      const first = await call(again);
      const second = await call(again);
      expect(second.status).to.equal(201);
      expect(second.headers.get('idempotent-replayed')).to.equal('true');
      expect(second.body).to.deep.equal({ ...(first.body as object), secret: null });
      const other = await call({ ...again, body: { ...NEW_KEY, name: 'another' } });
      expect(other.status).to.equal(409);
      expect(other.body).to.include({ code: 'idempotency_key_reused' });
    }));

  it('refuse a revoked key at once', () =>
    withApi(async ({ call }) => {
      const created = await call({
        method: 'POST',
        path: '/v1/api-keys',
        body: { ...NEW_KEY, scopes: ['admin'] },
      });
      const { id, secret } = created.body as Key;
      expect((await call({ path: '/v1/api-keys', key: secret })).status).to.equal(200);
      expect((await call({ method: 'DELETE', path: `/v1/api-keys/${id}` })).status).to.equal(200);
      expect((await call({ path: '/v1/api-keys', key: secret })).status).to.equal(401);
    }));

  it('name every violation of a key that cannot be made', () =>
    withApi(async ({ call }) => {
      const body = { name: '', scopes: ['root', 'admin', 'admin'], expiresAt: '2020-01-01T00:00:00Z' };
      const answer = await call({ method: 'POST', path: '/v1/api-keys', body });
      expect(answer.status).to.equal(400);
      const { violations } = answer.body as { violations: { pointer: string }[] };
      expect(violations.map(({ pointer }) => pointer)).to.include.members([
        '/name',
        '/scopes/0',
        '/scopes/2',
        '/expiresAt',
      ]);
    }));

  it('page through the keys', () =>
    withApi(async ({ call }) => {
      for (const name of ['a', 'b', 'c'])
        await call({ method: 'POST', path: '/v1/api-keys', body: { ...NEW_KEY, name } });
      const names: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = await call({ path: `/v1/api-keys?limit=2${query}` });
        const { items, nextCursor } = page.body as { items: { name: string }[]; nextCursor: string | null };
        names.push(...items.map(({ name }) => name));
        cursor = nextCursor;
      }
      expect(names).to.deep.equal(['test', 'a', 'b', 'c']);
    }));
});
