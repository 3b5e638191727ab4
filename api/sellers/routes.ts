import { z } from 'zod';
import { archiveSeller, putSeller } from '#infra/sellers/put-seller.ts';
import { listSellers, readSellerRow } from '#infra/sellers/read-sellers.ts';
import { json } from '../http/answer.ts';
import { jsonBody } from '../http/body.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { Problem } from '../http/problem.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { keyInput, listQuery, pageOf } from '../http/schemas.ts';
import { sellerDocument, sellerInput, toSellerDocument } from './documents.ts';

const tag = 'Sellers';
const keyPath = z.object({ key: keyInput });

const putRoute = changeRoute({
  method: 'put',
  path: '/v1/sellers/{key}',
  name: 'putSeller',
  tag,
  scope: 'billing:write',
  summary: 'Saves a seller whole: a legal entity that invoices come from',
  description:
    'A namespace that has said nothing of sellers bills as `default`, under its own name: save a seller of that key to say it better. ' +
    'Invoices that are made keep what the seller said then.',
  parameters: { path: keyPath },
  body: jsonBody(sellerInput),
  answers: {
    200: { description: 'The seller as it is now', json: sellerDocument },
    201: { description: 'The seller is new', json: sellerDocument, headers: { Location: 'The seller' } },
  },
  problems: ['invalid_seller', 'too_many_sellers'],
  change: async (tx, { namespace, path: { key }, body, now }) => {
    const { seller, change } = await putSeller(tx, { namespace, key, seller: body, now });
    return change === 'created'
      ? json(201, toSellerDocument(seller), { Location: `/v1/sellers/${key}` })
      : json(200, toSellerDocument(seller));
  },
});

const getRoute = route({
  method: 'get',
  path: '/v1/sellers/{key}',
  name: 'getSeller',
  tag,
  scope: 'billing:read',
  summary: 'One seller',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The seller', json: sellerDocument } },
  problems: ['seller_not_found'],
  handle: async ({ database }, { namespace, path: { key } }) => {
    const row = await readSellerRow(database, namespace, key);
    if (row === undefined) throw new Problem('seller_not_found', `there is no seller ${key}`);
    return json(200, toSellerDocument(row));
  },
});

const listRoute = route({
  method: 'get',
  path: '/v1/sellers',
  name: 'listSellers',
  tag,
  scope: 'billing:read',
  summary: 'Sellers by key, archived ones too',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(sellerDocument) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const after = positionOf(query.cursor, z.string());
    const sellers = await listSellers(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return json(200, pageAfter(sellers, query.limit, { item: toSellerDocument, position: ({ key }) => key }));
  },
});

const archiveRoute = changeRoute({
  method: 'delete',
  path: '/v1/sellers/{key}',
  name: 'archiveSeller',
  tag,
  scope: 'billing:write',
  summary: 'Archives a seller: it takes nothing new, and what it has is still billed',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The seller as it is now', json: sellerDocument } },
  problems: ['seller_not_found'],
  change: async (tx, { namespace, path: { key }, now }) =>
    json(200, toSellerDocument(await archiveSeller(tx, { namespace, key, now }))),
});

export const SELLER_ROUTES: readonly Route[] = [putRoute, getRoute, listRoute, archiveRoute];
