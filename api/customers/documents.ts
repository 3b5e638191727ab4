import { z } from 'zod';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Customer } from '#infra/customers/read-customers.ts';
import type { MovedSubject } from '#infra/customers/move-subject.ts';
import { recordInput, timeOutput } from '../http/schemas.ts';

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

export function toSummary(customer: Omit<Customer, 'subjects'>) {
  const { key, name, parent, timezone, currency, email, metadata } = customer;
  return {
    key,
    name,
    parent,
    timezone,
    currency,
    email,
    metadata,
    createdAt: formatInstant(customer.createdAt),
    updatedAt: formatInstant(customer.updatedAt),
    archivedAt: customer.archivedAt === null ? null : formatInstant(customer.archivedAt),
  };
}

export const toDocument = (customer: Customer) => ({ ...toSummary(customer), subjects: customer.subjects });

export const toSubjectDocument = ({ subject, intervals }: MovedSubject) => ({
  subject,
  intervals: intervals.map(({ from, customer }) => ({ from: formatInstant(from), customer })),
});

/** What a caller would have to send to save the customer as it is. */
export const toInput = ({ name, subjects, parent, timezone, currency, email, metadata }: Customer) => ({
  name,
  subjects,
  parent,
  timezone,
  currency,
  email,
  metadata,
});
