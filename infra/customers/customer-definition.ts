import { isTimeZone, timeZone } from '#domain/calendar/time-zone.ts';
import {
  CUSTOMER_NAME_BYTES_MAX,
  EMAIL_BYTES_MAX,
  METADATA_ENTRIES_MAX,
  METADATA_KEY_BYTES_MAX,
  METADATA_VALUE_BYTES_MAX,
  NAME_BYTES_MAX,
  SUBJECTS_PER_CUSTOMER_MAX,
} from '#domain/limits.ts';
import { checkPrintable, pointerStep, type Violation } from '#domain/violation.ts';

/** What a user says of a customer. What is left out has no value; the time zone is then UTC. */
export interface CustomerDefinition {
  readonly name: string;
  readonly subjects?: readonly string[] | undefined;
  readonly parent?: string | null | undefined;
  readonly timezone?: string | undefined;
  readonly currency?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** The same with everything in its place, as it is stored. */
export type WholeDefinition = {
  readonly [Name in keyof CustomerDefinition]-?: Exclude<CustomerDefinition[Name], undefined>;
};

/** All that is wrong with a customer, at once; empty when it can be saved. */
export function checkCustomer(key: string, definition: CustomerDefinition): Violation[] {
  const { name, subjects = [], parent, timezone, currency, email, metadata = {} } = definition;
  return [
    ...checkOpaqueName('', key),
    ...checkPrintable('/name', name, CUSTOMER_NAME_BYTES_MAX),
    ...checkSubjects(subjects),
    ...(parent == null ? [] : checkOpaqueName('/parent', parent)),
    ...(timezone === undefined || isTimeZone(timezone)
      ? []
      : [{ pointer: '/timezone', code: 'unknown_time_zone', message: 'is no IANA time zone' }]),
    ...(currency == null || CURRENCY.test(currency)
      ? []
      : [{ pointer: '/currency', code: 'unknown_currency', message: 'is no ISO 4217 code such as EUR' }]),
    ...(email == null ? [] : checkEmail(email)),
    ...checkMetadata(metadata),
  ];
}

export const wholeDefinition = (definition: CustomerDefinition): WholeDefinition => ({
  name: definition.name,
  subjects: definition.subjects ?? [],
  parent: definition.parent ?? null,
  timezone: timeZone(definition.timezone ?? 'UTC').name,
  currency: definition.currency ?? null,
  email: definition.email ?? null,
  metadata: definition.metadata ?? {},
});

const CURRENCY = /^[A-Z]{3}$/;

/** The key of a customer and the name of a subject: any printable text, except what a path in a URL would swallow. */
export const checkOpaqueName = (pointer: string, name: string): Violation[] =>
  name === '.' || name === '..'
    ? [{ pointer, code: 'invalid_name', message: 'cannot be "." or ".."' }]
    : checkPrintable(pointer, name, NAME_BYTES_MAX);

function checkSubjects(subjects: readonly string[]): Violation[] {
  if (subjects.length > SUBJECTS_PER_CUSTOMER_MAX) {
    const message = `at most ${SUBJECTS_PER_CUSTOMER_MAX} subjects`;
    return [{ pointer: '/subjects', code: 'too_many_subjects', message }];
  }
  const seen = new Set<string>();
  return subjects.flatMap((subject, place) => {
    const pointer = `/subjects/${place}`;
    if (seen.has(subject)) return [{ pointer, code: 'duplicate', message: `${subject} is there already` }];
    seen.add(subject);
    return checkOpaqueName(pointer, subject);
  });
}

/** Only that it could be one: whether it is, a message to it will tell. */
function checkEmail(email: string): Violation[] {
  const faults = checkPrintable('/email', email, EMAIL_BYTES_MAX);
  if (faults.length > 0) return faults;
  const at = email.lastIndexOf('@');
  return at > 0 && at < email.length - 1 && !email.includes(' ')
    ? []
    : [{ pointer: '/email', code: 'invalid_email', message: 'is no e-mail address' }];
}

function checkMetadata(metadata: Readonly<Record<string, string>>): Violation[] {
  const entries = Object.entries(metadata);
  if (entries.length > METADATA_ENTRIES_MAX) {
    const message = `at most ${METADATA_ENTRIES_MAX} entries`;
    return [{ pointer: '/metadata', code: 'too_many_entries', message }];
  }
  return entries.flatMap(([name, value]) => {
    const pointer = `/metadata/${pointerStep(name)}`;
    const values = value === '' ? [] : checkPrintable(pointer, value, METADATA_VALUE_BYTES_MAX);
    return [...checkPrintable(pointer, name, METADATA_KEY_BYTES_MAX), ...values];
  });
}
