import type { MemberPath } from '../questions/usage-question.ts';

/** How a member of `data` is reached: a path in BigQuery's notation, and what has to be renamed in the text for it. */
export interface MemberAccess {
  readonly path: string;
  readonly renamed: readonly Renamed[];
}

/** A member whose name a path cannot hold, as it stands in canonical text, and the name it goes by instead. */
export interface Renamed {
  readonly token: string;
  readonly alias: string;
}

/** Names that mean themselves between the quotes of a path, whoever reads it. */
const PLAIN_NAME = /^[\p{L}\p{N}_ :-]+$/u;

/**
 * A quote or a backslash in a name cannot be written in a path, or not everywhere the same. Such a member is renamed in the text first.
 * Its token ends in a quote and a colon, which stand together nowhere but at the end of a name: inside a string a quote is escaped.
 */
export function memberAccess(segments: MemberPath): MemberAccess {
  const renamed: Renamed[] = [];
  const names = segments.map((name) => {
    if (PLAIN_NAME.test(name)) return name;
    const alias = `member-${Buffer.from(name, 'utf8').toString('hex')}`;
    renamed.push({ token: `${JSON.stringify(name)}:`, alias: `"${alias}":` });
    return alias;
  });
  return { path: `$${names.map((name) => `."${name}"`).join('')}`, renamed };
}

/** SQL of the path and of each renaming, as parameters or as literals. */
export interface MemberSql {
  readonly path: string;
  readonly renamed: readonly { readonly token: string; readonly alias: string }[];
}

/**
 * The text of a member of `data`: a string's content, otherwise its canonical text; null where there is none. JSON_QUERY gives a number
 * digit by digit as it stands, where JSON_VALUE may pass it through a double. A list of one is joined to make its answer text everywhere:
 * in BigQuery it is, in the emulator it is JSON. What is neither a member nor anything but JSON's null is then empty or `null`.
 */
export function memberText({ path, renamed }: MemberSql): string {
  const data = renamed.reduce((text, { token, alias }) => `REPLACE(${text}, ${token}, ${alias})`, 'data');
  const found = `JSON_QUERY(${data}, ${path})`;
  const other = `NULLIF(NULLIF(ARRAY_TO_STRING([${found}], ''), 'null'), '')`;
  return `IF(${found} LIKE '"%', JSON_VALUE(${data}, ${path}), ${other})`;
}

/** Most values: nothing about them needs a second look. */
const PLAIN_NUMBER = "r'^-?[0-9]{1,20}([.][0-9]{1,18})?$'";
/** What a meter takes as a number: plain or a decimal string, with or without an exponent. */
const NUMBER = "r'^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$'";
/** 10^20: 20 digits before the point are fewer. */
const BOUND = '100000000000000000000';

/**
 * A number's text as a BIGNUMERIC, which holds 38 digits before the point and 38 after it; null where it is no number of at most 20 digits
 * and 18 decimals. Bounds are compared rather than computed, and what is no number is told by a pattern: casting alone is not the same on
 * every engine that this SQL runs on.
 */
export function numberOf(text: string): string {
  const number = `SAFE_CAST(${text} AS BIGNUMERIC)`;
  return `CASE WHEN REGEXP_CONTAINS(${text}, ${PLAIN_NUMBER}) THEN ${number}
    WHEN REGEXP_CONTAINS(${text}, ${NUMBER})
      AND ${number} > BIGNUMERIC '-${BOUND}' AND ${number} < BIGNUMERIC '${BOUND}'
      AND NOT REGEXP_CONTAINS(CAST(${number} AS STRING), r'[.][0-9]{19}') THEN ${number} END`;
}
