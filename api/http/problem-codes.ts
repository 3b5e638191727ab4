import { BILLING_PROBLEM_CODES } from './billing-problem-codes.ts';
import { CORRECTION_PROBLEM_CODES } from './correction-problem-codes.ts';

interface ProblemCodeEntry {
  readonly status: number;
  readonly title: string;
  /** What the caller can do about it. */
  readonly mend: string;
}

const GENERAL_PROBLEM_CODES = {
  invalid_request: {
    status: 400,
    title: 'The request is not as the API describes it',
    mend: 'Mend every violation that the answer names; the OpenAPI document has the shapes.',
  },
  malformed_json: {
    status: 400,
    title: 'The body is no JSON',
    mend: 'Send one JSON document in UTF-8.',
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is none that this list gave',
    mend: 'Pass `nextCursor` of the page before as it is, or none to begin again.',
  },
  no_event_accepted: {
    status: 400,
    title: 'No event of the request was accepted',
    mend: 'Mend each event as its problem says.',
  },
  event_refused: {
    status: 400,
    title: 'The new event is refused',
    mend: 'Mend the event as its problem says.',
  },
  too_many_letters: {
    status: 400,
    title: 'More dead letters are named than one call takes',
    mend: 'Name fewer, or say which to match and go on with `nextCursor`.',
  },
  invalid_meter: {
    status: 400,
    title: 'The meter cannot be saved as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_backfill: {
    status: 400,
    title: 'The backfill cannot be started as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_reconciliation: {
    status: 400,
    title: 'The reconciliation cannot be started as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_api_key: {
    status: 400,
    title: 'The API key cannot be made as it is asked for',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_customer: {
    status: 400,
    title: 'The customer cannot be saved as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_idempotency_key: {
    status: 400,
    title: 'The Idempotency-Key is none',
    mend: 'Send 1 to 255 printable ASCII characters, a UUID for instance.',
  },
  invalid_query: {
    status: 400,
    title: 'The question cannot be answered as it is put',
    mend: 'Mend what the detail names.',
  },
  invalid_limits: {
    status: 400,
    title: 'The limits cannot be set as they are',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_check: {
    status: 400,
    title: 'The check cannot be answered as it is asked',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_reservation: {
    status: 400,
    title: 'The reservation cannot be made as it is asked for',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_feature: {
    status: 400,
    title: 'The feature cannot be saved as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_event_type: {
    status: 400,
    title: 'The event type cannot be saved as it is',
    mend: 'Mend every violation that the answer names.',
  },
  unauthenticated: {
    status: 401,
    title: 'No valid API key came with the request',
    mend: 'Send `Authorization: Bearer <api key>` with a key that is neither revoked nor expired.',
  },
  scope_missing: {
    status: 403,
    title: 'The API key does not have the scope of this call',
    mend: 'Use a key that has the scope which the detail names.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    mend: 'Check the path. What belongs to another namespace is not there either.',
  },
  api_key_not_found: {
    status: 404,
    title: 'There is no such API key',
    mend: 'List the keys; one of another namespace is not there.',
  },
  customer_not_found: {
    status: 404,
    title: 'There is no such customer',
    mend: 'Save it first.',
  },
  feature_not_found: {
    status: 404,
    title: 'There is no such feature',
    mend: 'Save it first.',
  },
  reservation_not_found: {
    status: 404,
    title: 'There is no such reservation',
    mend: 'Reserve first; the id is in the answer.',
  },
  dead_letter_not_found: {
    status: 404,
    title: 'There is no such dead letter',
    mend: 'List them; one that was closed is gone after 30 days.',
  },
  event_type_not_found: {
    status: 404,
    title: 'Nothing was said of this event type',
    mend: 'Save it first. Events of the type are taken nevertheless.',
  },
  meter_not_found: {
    status: 404,
    title: 'There is no such meter',
    mend: 'Save it first.',
  },
  backfill_not_found: {
    status: 404,
    title: 'The version was not backfilled',
    mend: 'Ask for its backfill first.',
  },
  reconciliation_not_found: {
    status: 404,
    title: 'There is no such reconciliation',
    mend: 'Ask for the list.',
  },
  parked_append_not_found: {
    status: 404,
    title: 'No row of the event is parked',
    mend: 'Ask for the list: it may have been appended already.',
  },
  meter_version_not_found: {
    status: 404,
    title: 'The meter has no such version',
    mend: 'Read the meter for its versions.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The path does not take this method',
    mend: 'Use a method that the `Allow` header names.',
  },
  not_acceptable: {
    status: 406,
    title: 'The answer has none of the asked media types',
    mend: 'Ask with `Accept` for a media type that the OpenAPI document names, or leave it out.',
  },
  request_timeout: {
    status: 408,
    title: 'The request was not whole in time',
    mend: 'Send it again, over a faster line or in smaller parts.',
  },
  api_key_ended: {
    status: 409,
    title: 'The API key is not valid any more',
    mend: 'Create a new key.',
  },
  api_key_replaced: {
    status: 409,
    title: 'The API key has been rotated already',
    mend: 'Rotate the key that replaced it.',
  },
  too_many_api_keys: {
    status: 409,
    title: 'The namespace has as many API keys as it can have',
    mend: 'Revoke one that is not used.',
  },
  customer_archived: {
    status: 409,
    title: 'The customer is archived',
    mend: 'Save it whole to have it back.',
  },
  customer_has_children: {
    status: 409,
    title: 'Other customers have this one for a parent',
    mend: 'Give them another parent first.',
  },
  subject_taken: {
    status: 409,
    title: 'A subject belongs to another customer',
    mend: 'Move it with `POST /v1/subjects/{subject}/move` and a date.',
  },
  idempotency_key_reused: {
    status: 409,
    title: 'The idempotency key came before with another request',
    mend: 'Use a new key for a new request.',
  },
  idempotency_key_in_flight: {
    status: 409,
    title: 'A request with this idempotency key is still running',
    mend: 'Send the same request again a little later.',
  },
  feature_archived: {
    status: 409,
    title: 'The feature is archived',
    mend: 'Save it again to have it back.',
  },
  feature_has_limits: {
    status: 409,
    title: 'Limits stand on the feature',
    mend: 'Take the limits away first.',
  },
  reservation_closed: {
    status: 409,
    title: 'The reservation is settled, released or lapsed',
    mend: 'Reserve again for a new event.',
  },
  quota_exceeded: {
    status: 409,
    title: 'A hard limit leaves no room for what is asked',
    mend: 'Wait until `resetsAt`, ask for less, or raise the limit that `limitKey` names.',
  },
  event_already_counted: {
    status: 409,
    title: 'The event was counted before it was reserved for',
    mend: 'Reserve before the event is sent, under an id of its own.',
  },
  reservation_conflict: {
    status: 409,
    title: 'The event is reserved for already, with another amount or feature',
    mend: 'Use the reservation there is, or an event id of its own.',
  },
  too_many_holds: {
    status: 409,
    title: 'The customer has as many open reservations on the feature as it can have',
    mend: 'Settle or release what is not needed any more.',
  },
  meter_version_ended: {
    status: 409,
    title: 'The version is not counted any more',
    mend: 'Save the definition again: it becomes a new version.',
  },
  meter_version_incomplete: {
    status: 409,
    title: 'The version does not hold the events from before it was made',
    mend: 'Wait until its backfill is complete, or send `partial: true` if that is meant.',
  },
  backfill_exists: {
    status: 409,
    title: 'The version is backfilled over other days',
    mend: 'Save the definition as a version more, or leave the days out.',
  },
  no_earlier_version: {
    status: 409,
    title: 'No version was active before that is still counted',
    mend: 'Activate the version that is wanted.',
  },
  meter_in_use: {
    status: 409,
    title: 'A feature or a plan uses the meter',
    mend: 'Archive the feature, or the version of the plan, first.',
  },
  feature_meter_fixed: {
    status: 409,
    title: 'The meter of a feature stays',
    mend: 'Make another feature for another meter.',
  },
  amendment_refused: {
    status: 409,
    title: 'The new event cannot take the place of the old one',
    mend: 'Send a new event with a source and id of its own that nothing else refuses; the detail says what did.',
  },
  too_many_event_types: {
    status: 409,
    title: 'The namespace has as many event types as it can have',
    mend: 'Take the schema of one away that is not needed.',
  },
  too_large: {
    status: 413,
    title: 'The request is larger than the limit',
    mend: 'Send less at once; the detail names the limit.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body has a media type or encoding that this call does not take',
    mend: 'Send a media type that the OpenAPI document names.',
  },
  parent_not_found: {
    status: 422,
    title: 'The parent is no customer',
    mend: 'Save the parent first.',
  },
  parent_cycle: {
    status: 422,
    title: 'The customer would be its own ancestor',
    mend: 'Choose another parent.',
  },
  too_many_levels: {
    status: 422,
    title: 'Customers would be nested deeper than the limit',
    mend: 'Choose a parent nearer to the top.',
  },
  too_many_moves: {
    status: 422,
    title: 'The subject has changed hands as often as it can',
    mend: 'Use a new subject.',
  },
  too_many_subjects: {
    status: 422,
    title: 'The customer has as many subjects as it can have',
    mend: 'Make another customer with this one for a parent.',
  },
  aggregation_not_limitable: {
    status: 422,
    title: 'A hard limit needs a meter that counts or sums',
    mend: 'Make the limit soft or metered, or limit another feature.',
  },
  feature_without_meter: {
    status: 422,
    title: 'The feature has no meter that counts, so nothing of it can be limited',
    mend: 'Give the feature a meter.',
  },
  too_many_limited_features: {
    status: 422,
    title: 'The customer has limits on as many features as it can have',
    mend: 'Take limits away that are not needed.',
  },
  rate_limited: {
    status: 429,
    title: 'The API key sends more than its limit',
    mend: 'Wait as long as `Retry-After` says, and send fewer, larger batches.',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers of the request are larger than the limit',
    mend: 'Send fewer or shorter headers.',
  },
  internal_error: {
    status: 500,
    title: 'The request failed for a reason on our side',
    mend: 'Try again; if it stays, tell the operator the `Request-Id`.',
  },
  not_ready: {
    status: 503,
    title: 'The process cannot do its work now',
    mend: 'The detail names what does not answer. It mends itself when that is back.',
  },
  not_yet_appended: {
    status: 503,
    title: 'The event is counted, and not in the warehouse yet',
    mend: 'Send the same request again after `Retry-After`: a correction needs what the event said.',
  },
  store_unavailable: {
    status: 503,
    title: 'A store does not answer now',
    mend: 'Send the same request again after `Retry-After`. Nothing is half done.',
  },
  too_many_streams: {
    status: 503,
    title: 'More long answers are being read than can be at once',
    mend: 'Send the same request again after `Retry-After`.',
  },
  too_many_waiting: {
    status: 503,
    title: 'More reservations wait than can be served in time',
    mend: 'Send the same request again after `Retry-After`.',
  },
} as const;

/**
 * Every problem that the API answers with: a closed list. A code is stable: programs decide by it. `docs/problems.md` is made from here.
 */
export const PROBLEM_CODES = {
  ...GENERAL_PROBLEM_CODES,
  ...BILLING_PROBLEM_CODES,
  ...CORRECTION_PROBLEM_CODES,
} as const satisfies Record<string, ProblemCodeEntry>;

/** All of them as a page lists them. */
export const problemsByStatus = (): [string, ProblemCodeEntry][] =>
  Object.entries(PROBLEM_CODES).sort(([, a], [, b]) => a.status - b.status);

export type ProblemCode = keyof typeof PROBLEM_CODES;

export const isProblemCode = (code: unknown): code is ProblemCode =>
  typeof code === 'string' && Object.hasOwn(PROBLEM_CODES, code);
