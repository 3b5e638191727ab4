import { z } from 'zod';
import type { Transaction } from '#infra/database/database.ts';
import { archiveCustomer } from '#infra/customers/archive-customer.ts';
import { moveSubject } from '#infra/customers/move-subject.ts';
import { readSubjectRows } from '#infra/customers/own-subjects.ts';
import { patchCustomer, putCustomer } from '#infra/customers/put-customer.ts';
import { getCustomer, listCustomers, type Customer } from '#infra/customers/read-customers.ts';
import { json, noContent } from '../http/answer.ts';
import { jsonBody, mergePatchBody } from '../http/body.ts';
import { mergePatch } from '../http/merge-patch.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import { Problem } from '../http/problem.ts';
import { parseWith } from '../http/read-inputs.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { listQuery, pageOf, pathNameInput, timeInput } from '../http/schemas.ts';
import {
  customerDocument,
  customerInput,
  customerPatchInput,
  customerSummary,
  subjectDocument,
  toDefinition,
  toDocument,
  toInput,
  toSubjectDocument,
  toSummary,
} from './documents.ts';

const tag = 'Customers';
const keyPath = z.object({ key: pathNameInput });
const SAVING_PROBLEMS = [
  'invalid_customer',
  'subject_taken',
  'too_many_subjects',
  'too_many_moves',
  'parent_not_found',
  'parent_cycle',
  'too_many_levels',
  'seller_not_found',
] as const;

interface Place {
  readonly namespace: string;
  readonly key: string;
  readonly now: number;
}

async function existing(from: Pick<Transaction, 'read' | 'scan'>, place: Place): Promise<Customer> {
  const customer = await getCustomer(from, place);
  if (customer === undefined) throw new Problem('customer_not_found', `there is no customer ${place.key}`);
  return customer;
}

const putRoute = changeRoute({
  method: 'put',
  path: '/v1/customers/{key}',
  name: 'putCustomer',
  tag,
  scope: 'customers:write',
  summary: 'Saves a customer whole',
  description:
    'Usage is stored by subject, so events that came before the customer count for it. A subject of another customer is refused: move it, with a date.',
  parameters: { path: keyPath },
  body: jsonBody(customerInput),
  answers: {
    200: { description: 'The customer as it is now', json: customerDocument },
    201: {
      description: 'The customer is new',
      json: customerDocument,
      headers: { Location: 'The customer' },
    },
  },
  problems: SAVING_PROBLEMS,
  change: async (tx, { namespace, path, body, now }) => {
    const { customer, change } = await putCustomer(tx, {
      namespace,
      key: path.key,
      customer: toDefinition(body),
      now,
    });
    const Location = `/v1/customers/${encodeURIComponent(path.key)}`;
    return change === 'created'
      ? json(201, toDocument(customer), { Location })
      : json(200, toDocument(customer));
  },
});

const patchRoute = changeRoute({
  method: 'patch',
  path: '/v1/customers/{key}',
  name: 'patchCustomer',
  tag,
  scope: 'customers:write',
  summary: 'Changes some fields of a customer',
  parameters: { path: keyPath },
  body: mergePatchBody(customerPatchInput),
  answers: { 200: { description: 'The customer as it is now', json: customerDocument } },
  problems: ['customer_not_found', 'customer_archived', ...SAVING_PROBLEMS],
  change: async (tx, { namespace, path, body, now }) => {
    const before = await existing(tx, { namespace, key: path.key, now });
    const customer = toDefinition(parseWith(customerInput, mergePatch(toInput(before), body)));
    const saved = await patchCustomer(tx, { namespace, key: path.key, customer, now });
    return json(200, toDocument(saved.customer));
  },
});

const getRoute = route({
  method: 'get',
  path: '/v1/customers/{key}',
  name: 'getCustomer',
  tag,
  scope: 'customers:read',
  summary: 'One customer',
  parameters: { path: keyPath },
  answers: { 200: { description: 'The customer', json: customerDocument } },
  problems: ['customer_not_found'],
  handle: async ({ database }, { namespace, path, now }) =>
    json(200, toDocument(await existing(database, { namespace, key: path.key, now }))),
});

const listRoute = route({
  method: 'get',
  path: '/v1/customers',
  name: 'listCustomers',
  tag,
  scope: 'customers:read',
  summary: 'Customers by key, archived ones too',
  parameters: { query: z.strictObject(listQuery) },
  answers: { 200: { description: 'One page', json: pageOf(customerSummary) } },
  problems: ['invalid_cursor'],
  handle: async ({ database }, { namespace, query }) => {
    const after = positionOf(query.cursor, z.string());
    const customers = await listCustomers(database, namespace, {
      limit: query.limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    return json(200, pageAfter(customers, query.limit, { item: toSummary, position: ({ key }) => key }));
  },
});

const archiveRoute = changeRoute({
  method: 'delete',
  path: '/v1/customers/{key}',
  name: 'archiveCustomer',
  tag,
  scope: 'customers:write',
  summary: 'Archives a customer: its subjects are free from now on, its past stays',
  parameters: { path: keyPath },
  answers: { 204: { description: 'Archived' } },
  problems: ['customer_not_found', 'customer_has_children', 'customer_has_subscriptions'],
  change: async (tx, { namespace, path, now }) => {
    await archiveCustomer(tx, { namespace, key: path.key, now });
    return noContent();
  },
});

const subjectPath = z.object({ subject: pathNameInput });

const getSubjectRoute = route({
  method: 'get',
  path: '/v1/subjects/{subject}',
  name: 'getSubject',
  tag,
  scope: 'customers:read',
  summary: 'Whose the usage of a subject is, through time',
  parameters: { path: subjectPath },
  answers: { 200: { description: 'The subject', json: subjectDocument } },
  problems: ['not_found'],
  handle: async ({ database }, { namespace, path }) => {
    const [row] = await readSubjectRows(database, namespace, [path.subject]);
    if (row === undefined || row.customers.length === 0)
      throw new Problem('not_found', 'no customer ever had this subject');
    return json(200, toSubjectDocument({ subject: path.subject, intervals: row.customers }));
  },
});

const moveRoute = changeRoute({
  method: 'post',
  path: '/v1/subjects/{subject}/move',
  name: 'moveSubject',
  tag,
  scope: 'customers:write',
  summary: 'Gives a subject to a customer, or to nobody, from a date on',
  description:
    'An event counts for the customer that has its subject at the event’s time: also what is counted already, from the date on, becomes the new customer’s.',
  parameters: { path: subjectPath, query: z.strictObject(previewQuery) },
  body: jsonBody(
    z.strictObject({
      to: z.string().nullable().meta({ description: 'The customer’s key; null for nobody' }),
      from: timeInput.meta({ description: 'Moved down to its minute; at most a year ahead' }),
    }),
  ),
  answers: { 200: { description: 'The subject after the move', json: subjectDocument } },
  problems: [
    'invalid_customer',
    'customer_not_found',
    'customer_archived',
    'too_many_subjects',
    'too_many_moves',
  ],
  change: async (tx, { namespace, path, query, body, now }) => {
    const moved = moveSubject(asPreviewed(tx, query), { namespace, subject: path.subject, ...body, now });
    return json(200, toSubjectDocument(await moved));
  },
});

export const CUSTOMER_ROUTES: readonly Route[] = [
  putRoute,
  patchRoute,
  getRoute,
  listRoute,
  archiveRoute,
  getSubjectRoute,
  moveRoute,
];
