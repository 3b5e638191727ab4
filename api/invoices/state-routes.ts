import { z } from 'zod';
import type { Transaction } from '#infra/database/database.ts';
import {
  payInvoice,
  releaseInvoice,
  requireInvoice,
  voidInvoice,
  writeOffInvoice,
  type ChangeInvoice,
} from '#infra/invoicing/change-invoice.ts';
import { checkIssuable, issueInvoice, prepareIssue } from '#infra/invoicing/issue-invoices.ts';
import { previewRecompute, recomputeInvoice } from '#infra/invoicing/recompute-invoice.ts';
import type { InvoiceRow } from '#infra/invoicing/tables.ts';
import { json } from '../http/answer.ts';
import { asPreviewed, previewQuery } from '../http/preview.ts';
import type { ProblemCode } from '../http/problem-codes.ts';
import { changeRoute, route, type Route } from '../http/route.ts';
import { invoiceHeadDocument, toHead } from './documents.ts';
import { tag } from './tag.ts';

const parameters = { path: z.object({ id: z.string().max(64) }), query: z.strictObject(previewQuery) };
const answers = { 200: { description: 'The invoice', json: invoiceHeadDocument } } as const;

interface Verb {
  readonly verb: string;
  readonly name: string;
  readonly summary: string;
  readonly problems?: readonly ProblemCode[];
  readonly change: (tx: Transaction, change: ChangeInvoice) => Promise<InvoiceRow>;
}

/** A call that brings an invoice into another state; repeated, it finds it there. */
const stateRoute = ({ verb, name, summary, problems = ['invoice_state'], change }: Verb): Route =>
  changeRoute({
    method: 'post',
    path: `/v1/invoices/{id}/${verb}`,
    name,
    tag,
    scope: 'billing:write',
    ofMoney: true,
    summary,
    parameters,
    answers,
    problems: ['invoice_not_found', ...problems],
    change: async (tx, { namespace, path, query, now }) =>
      json(200, toHead(await change(asPreviewed(tx, query), { namespace, id: path.id, now }))),
  });

const issue = changeRoute({
  method: 'post',
  path: '/v1/invoices/{id}/issue',
  name: 'issueInvoice',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  summary: 'Gives an invoice its number; issued again, it keeps it',
  parameters,
  answers,
  problems: ['invoice_not_found', 'invoice_parked', 'invoice_state', 'invoice_not_proved'],
  prepare: async (services, { namespace, path }) => {
    const row = await requireInvoice(services.database, { namespace, id: path.id });
    checkIssuable(row);
    return row.state === 'draft' || row.state === 'finalised'
      ? (await prepareIssue(services, [row]))[0]
      : undefined;
  },
  change: async (tx, { namespace, path, query, now }, _, prepared) =>
    json(200, toHead(await issueInvoice(asPreviewed(tx, query), { namespace, id: path.id, now }, prepared))),
});

const recompute = route({
  method: 'post',
  path: '/v1/invoices/{id}/recompute',
  name: 'recomputeInvoice',
  tag,
  scope: 'billing:write',
  ofMoney: true,
  idempotent: true,
  summary: 'Throws a draft away and bills again what was on it, as everything stands now',
  parameters,
  answers: {
    200: {
      description: 'What took its place; none where nothing is due any more',
      json: z.object({ items: z.array(invoiceHeadDocument) }),
    },
  },
  problems: ['invoice_not_found', 'invoice_state', 'invalid_invoice'],
  handle: async (services, { namespace, path, query, now }) => {
    const again = query.preview ? previewRecompute : recomputeInvoice;
    const rows = await again(services, { namespace, id: path.id, now });
    return json(200, { items: rows.map(toHead) });
  },
});

export const INVOICE_STATE_ROUTES: readonly Route[] = [
  issue,
  recompute,
  stateRoute({
    verb: 'release',
    name: 'releaseInvoice',
    summary: 'Lets an invoice pass that was held: it is issued next',
    problems: ['invoice_not_parked'],
    change: releaseInvoice,
  }),
  stateRoute({
    verb: 'void',
    name: 'voidInvoice',
    summary: 'Makes an invoice count for nothing: what was on it is due again',
    change: voidInvoice,
  }),
  stateRoute({
    verb: 'pay',
    name: 'payInvoice',
    summary: 'Says that an invoice was paid',
    change: payInvoice,
  }),
  stateRoute({
    verb: 'uncollectible',
    name: 'writeOffInvoice',
    summary: 'Gives up on the payment of an invoice; it may still come',
    change: writeOffInvoice,
  }),
];
