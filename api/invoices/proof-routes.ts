import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { DIFFERENT_PARTS } from '#domain/invoicing/compare-contents.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { InvoicingRuleError } from '#infra/invoicing/errors.ts';
import { lineEvents, type LineEvent } from '#infra/invoicing/proof/line-events.ts';
import {
  questionOfLine,
  readAllMeterVersions,
  type LineQuestion,
} from '#infra/invoicing/proof/line-question.ts';
import type { EventPlace } from '#infra/invoicing/proof/metered-rows.ts';
import { verifyInvoice } from '#infra/invoicing/proof/verify-invoice.ts';
import { readInputs, readInvoice } from '#infra/invoicing/read-invoices.ts';
import { dimensionNames } from '#infra/rating/warehouse-event.ts';
import { chooseMediaType } from '../http/accept.ts';
import { json, stream } from '../http/answer.ts';
import { pageAfter, positionOf } from '../http/page.ts';
import { route, type Route } from '../http/route.ts';
import { listQuery, pageOf, quantityOutput, timeOutput } from '../http/schemas.ts';
import type { Services } from '../services.ts';
import { openEventsCsv } from './line-events-csv.ts';
import { tag } from './tag.ts';

const idPath = z.object({ id: z.string().max(64) });
const hashOutput = z.string().meta({ description: '128 bits in hex' });

const eventDocument = z
  .object({
    time: timeOutput,
    identity: hashOutput,
    digest: hashOutput,
    source: z.string(),
    id: z.string(),
    subject: z.string(),
    value: quantityOutput.meta({
      description: 'What it contributes: its value, or 1 to a count and to distinct values',
    }),
    dimensions: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: 'LineEvent' });

const toEventDocument = ({ time, dimensions, ...event }: LineEvent) => ({
  time: formatInstant(time),
  ...event,
  dimensions,
});

const cursorPosition = z
  .tuple([z.int(), z.string().regex(/^[0-9a-f]{32}$/)])
  .transform(([time, identity]): EventPlace => ({ time, identity }));

const events = route({
  method: 'get',
  path: '/v1/invoices/{id}/lines/{line}/events',
  name: 'listLineEvents',
  tag,
  scope: 'billing:read',
  summary: 'Exactly the events behind a line of an invoice',
  description:
    'As they were when the invoice was collected, in the order of (time, identity), which is that of the leaves of the line’s Merkle tree. A leaf is the 16 bytes ' +
    'of the identity, the 16 of the digest, and the value’s text; the tree is that of RFC 6962 with SHA-256. `Accept: text/csv` streams all of them.',
  parameters: {
    path: idPath.extend({ line: z.string().max(64) }),
    query: z.strictObject(listQuery),
  },
  answers: {
    200: {
      description: 'One page, or all of them as CSV; none where no events are behind the line',
      json: pageOf(eventDocument),
      mediaTypes: ['text/csv'],
    },
  },
  problems: [
    'invalid_cursor',
    'invoice_not_found',
    'invoice_line_not_found',
    'not_acceptable',
    'too_many_streams',
  ],
  handle: async (services, { namespace, path, query, headers, signal }) => {
    const mediaType = chooseMediaType(headers['accept']?.toString(), ['application/json', 'text/csv']);
    const { limit, cursor } = query;
    const after = positionOf(cursor, cursorPosition);
    const line = await questionOf(services, { namespace, ...path });
    const asked = { namespace, after, signal: signal() };
    if (mediaType === 'text/csv') {
      const all = line === undefined ? none() : lineEvents(services.warehouse, { ...asked, line });
      const dimensions = line === undefined ? [] : dimensionNames(line.meter);
      const chunks = openEventsCsv(services, { dimensions, events: all }, asked.signal);
      return stream(200, 'text/csv; charset=utf-8; header=present', chunks);
    }
    const found: LineEvent[] = [];
    if (line !== undefined)
      for await (const event of lineEvents(services.warehouse, { ...asked, line, limit: limit + 1 }))
        if (found.push(event) > limit) break;
    return json(
      200,
      pageAfter(found, limit, {
        item: toEventDocument,
        position: ({ time, identity }) => [time, identity],
      }),
    );
  },
});

async function* none(): AsyncGenerator<LineEvent, void> {
  // No events are behind the line.
}

/** Undefined for a line without events. Throws `InvoicingRuleError`: `invoice_not_found`, `invoice_line_not_found`. */
const questionOf = (
  { database }: Services,
  { namespace, id, line }: { readonly namespace: string; readonly id: string; readonly line: string },
): Promise<LineQuestion | undefined> =>
  inSnapshot(database, async (snapshot) => {
    const { content } = await readInvoice(snapshot, { namespace, id });
    const found = content.lines.find((each) => each.id === line);
    if (found === undefined)
      throw new InvoicingRuleError('invoice_line_not_found', `invoice ${id} has no line ${line}`);
    if (found.usage === null) return undefined;
    const { inputs } = await readInputs(snapshot, { namespace, id });
    return questionOfLine(inputs.usage, await readAllMeterVersions(snapshot, namespace), found);
  });

const differencesDocument = z.array(
  z
    .object({
      what: z.enum(DIFFERENT_PARTS),
      stored: z.string().nullable(),
      recomputed: z.string().nullable(),
    })
    .meta({ id: 'InvoiceDifference' }),
);

const verify = route({
  method: 'post',
  path: '/v1/invoices/{id}/verify',
  name: 'verifyInvoice',
  tag,
  scope: 'billing:read',
  summary: 'Computes an invoice once more from the raw events, and says what differs',
  description:
    'Usage, fingerprints and Merkle roots from the events in the warehouse as they were when the invoice was collected, amounts and taxes from those and from its ' +
    'stored inputs, and the hashes of what is stored. Nothing is changed. Usage that came later is no difference: see `lateUsage`.',
  parameters: { path: idPath },
  answers: {
    200: {
      description: 'Whether all is equal, and what is not',
      json: z
        .object({
          invoice: z.uuid(),
          equal: z.boolean(),
          differences: differencesDocument.meta({
            description: 'Of the invoice as a whole, and lines that it would have to have',
          }),
          lines: z.array(
            z.object({
              line: z.string(),
              equal: z.boolean(),
              differences: differencesDocument,
            }),
          ),
        })
        .meta({ id: 'InvoiceVerification' }),
    },
  },
  problems: ['invoice_not_found'],
  handle: async (services, { namespace, path, signal }) =>
    json(200, await verifyInvoice(services, { namespace, id: path.id, signal: signal() })),
});

export const INVOICE_PROOF_ROUTES: readonly Route[] = [events, verify];
