/** What the exact view is asked for. */
export interface ExactEventsSql {
  /** The table of all rows, as SQL. */
  readonly events: string;
  /** Conditions that all copies, voids and restores of an event meet alike, so that they may be applied first. */
  readonly placed: string;
  /** The further conditions that only its accepted copies need to meet; all of them count where absent. */
  readonly chosen?: string | undefined;
  /** The columns of the answer, beside those that the view itself needs. */
  readonly columns: readonly string[];
}

/** Where an identity is looked for. It may be used again once its event row has expired, on another day: that is another event. */
const PLACE = 'namespace, subject, day, identity';

/** What the exact view itself needs of each row. */
export const OWN_COLUMNS = [
  'namespace',
  'subject',
  'day',
  'identity',
  'time',
  'published_at',
  'committed_at',
] as const;

/** Before any commit, and so before any void. */
const NEVER = "TIMESTAMP '0001-01-01 00:00:00+00'";

const lastOf = (outcome: string): string =>
  `IFNULL(MAX(IF(outcome = '${outcome}', committed_at, NULL)) OVER (PARTITION BY ${PLACE}), ${NEVER})`;

/**
 * Each counted event once, as the common tables `ranked` and `exact`. An accepted event counts unless there is a later void; a restore
 * undoes the voids before it. Of its copies the one published first stands for it. One pass over `events`, and whatever a place consists
 * of may be filtered before: so it reads only the partitions and blocks that a question is about.
 */
export const exactEventsSql = ({ events, placed, chosen, columns }: ExactEventsSql): string => `ranked AS (
  SELECT ${[...OWN_COLUMNS, ...columns].join(', ')}, accepted,
    ROW_NUMBER() OVER (PARTITION BY ${PLACE}, accepted ORDER BY published_at IS NULL, published_at) AS copy,
    ${lastOf('void')} AS voided_at,
    ${lastOf('restored')} AS restored_at
  FROM (
    SELECT *, DATE(time) AS day, outcome = 'accepted'${chosen === undefined ? '' : ` AND ${chosen}`} AS accepted
    FROM ${events} WHERE ${placed}
  )
),
exact AS (
  SELECT * FROM ranked
  WHERE accepted AND copy = 1 AND NOT (voided_at > committed_at AND voided_at > restored_at)
)`;
