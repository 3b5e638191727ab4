import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { customerFields, type CustomerDefinition } from '#infra/customers/customer-definition.ts';
import type { Customer } from '#infra/customers/read-customers.ts';
import type { MovedSubject } from '#infra/customers/move-subject.ts';
import { recordInput, timeOutput } from '../http/schemas.ts';
import { anchorOutput, sharedAnchorInput, toAnchorDocument, toSharedAnchor } from '../rating/anchor-input.ts';
import {
  addressDocument,
  addressInput,
  netTermDaysInput,
  partyIdsDocument,
  partyIdsInput,
  taxRatesDocument,
  taxRatesInput,
} from '../sellers/party-schemas.ts';

/** What a caller says of a customer; what is left out has no value. Rules beyond the shape are the repository's. */
export const customerInput = z
  .strictObject({
    name: z.string(),
    subjects: z.array(z.string()).exactOptional().meta({
      description:
        'The subjects whose usage is this customer’s, from now on (or from the beginning if nobody had them before)',
    }),
    parent: z
      .string()
      .nullable()
      .exactOptional()
      .meta({ description: 'The customer that pays for this one' }),
    timezone: z.string().exactOptional().meta({ description: 'An IANA zone; UTC when left out' }),
    currency: z.string().nullable().exactOptional().meta({ description: 'An ISO 4217 code' }),
    email: z.string().nullable().exactOptional(),
    seller: z.string().nullable().exactOptional().meta({
      description:
        'Whose invoices it gets where a subscription says nothing; null for the only or default one',
    }),
    address: addressInput.nullable().exactOptional(),
    taxId: z.string().nullable().exactOptional().meta({ description: 'Printed first among its ids' }),
    taxIds: partyIdsInput.exactOptional().meta({ description: 'Further ids, each with its scheme' }),
    taxRates: taxRatesInput.nullable().exactOptional().meta({
      description: 'In place of the seller’s; an empty list: no tax',
    }),
    netTermDays: netTermDaysInput.nullable().exactOptional(),
    purchaseOrder: z.string().nullable().exactOptional().meta({
      description: 'The customer’s own number for what it buys; its invoices name it',
    }),
    billingAnchor: sharedAnchorInput.nullable().exactOptional().meta({
      description:
        'What periods of subscriptions aligned with the customer are counted from; null: the calendar',
    }),
    metadata: recordInput(z.string()).exactOptional(),
  })
  .meta({
    id: 'CustomerInput',
    example: { name: 'Acme', subjects: ['acme', 'acme-eu'], timezone: 'Europe/Berlin' },
  });

/** RFC 7396 on the above: null takes a field away. */
export const customerPatchInput = recordInput(z.unknown()).meta({
  id: 'CustomerPatch',
  description: 'A merge patch of CustomerInput: null takes a field away',
});

export const customerSummary = z
  .object({
    key: z.string(),
    name: z.string(),
    parent: z.string().nullable(),
    timezone: z.string(),
    currency: z.string().nullable(),
    email: z.string().nullable(),
    seller: z.string().nullable(),
    address: addressDocument.nullable(),
    taxId: z.string().nullable(),
    taxIds: partyIdsDocument,
    taxRates: taxRatesDocument.nullable(),
    netTermDays: z.int().nullable(),
    purchaseOrder: z.string().nullable(),
    billingAnchor: anchorOutput.nullable(),
    metadata: z.record(z.string(), z.string()),
    createdAt: timeOutput,
    updatedAt: timeOutput,
    archivedAt: timeOutput.nullable(),
  })
  .meta({ id: 'CustomerSummary' });

export const customerDocument = customerSummary
  .extend({ subjects: z.array(z.string()).meta({ description: 'The subjects that are the customer’s now' }) })
  .meta({ id: 'Customer' });

export const subjectDocument = z
  .object({
    subject: z.string(),
    intervals: z
      .array(z.object({ from: timeOutput, customer: z.string().nullable() }))
      .meta({ description: 'Whose its usage is, each until the next begins' }),
  })
  .meta({ id: 'Subject' });

/** What a caller may say of a customer, as it is now. */
function toFields(customer: Omit<Customer, 'subjects'>) {
  const { taxIds, taxRates, billingAnchor, ...fields } = customerFields(customer);
  return {
    ...fields,
    taxIds: [...taxIds],
    taxRates: taxRates && [...taxRates],
    billingAnchor: billingAnchor === null ? null : toAnchorDocument(billingAnchor),
  };
}

export const toSummary = (customer: Omit<Customer, 'subjects'>) => ({
  key: customer.key,
  ...toFields(customer),
  createdAt: formatInstant(customer.createdAt),
  updatedAt: formatInstant(customer.updatedAt),
  archivedAt: customer.archivedAt === null ? null : formatInstant(customer.archivedAt),
});

export const toDocument = (customer: Customer) => ({ ...toSummary(customer), subjects: customer.subjects });

export const toSubjectDocument = ({ subject, intervals }: MovedSubject) => ({
  subject,
  intervals: intervals.map(({ from, customer }) => ({ from: formatInstant(from), customer })),
});

/** What a caller would have to send to save the customer as it is. */
export const toInput = (customer: Customer) => ({ ...toFields(customer), subjects: customer.subjects });

/** What the caller said, as the repository takes it. */
export const toDefinition = ({
  billingAnchor,
  ...said
}: z.output<typeof customerInput>): CustomerDefinition => ({
  ...said,
  billingAnchor: billingAnchor == null ? null : toSharedAnchor(billingAnchor),
});
