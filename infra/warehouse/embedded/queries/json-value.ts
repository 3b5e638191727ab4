import { QueryRefused } from '../../errors.ts';
import type { MemberPath } from '../../questions/usage-question.ts';
import { textLiteral } from '../sql-text.ts';

/** The way to a member of `data` in the engine's own notation: `usage.tokens` is `$."usage"."tokens"`. */
export function jsonPath(segments: MemberPath): string {
  // The engine takes a lone star for "any member" even between quotes.
  if (segments.includes('*'))
    throw new QueryRefused(`a path of the warehouse cannot name a member *: ${segments.join('.')}`);
  return `$${segments.map((segment) => `."${segment.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join('')}`;
}

/** What canonical JSON is made of: strings, numbers, and everything between. One after the other they cover the text. */
const TOKENS = String.raw`"(?:[^"\\]|\\.)*"|-?[0-9][0-9.]*|[^"0-9-]+`;
/** Marks a number that was made a string: as an escape in the JSON, as a character in the string itself. */
const NUMBER_MARK = String.raw`\u0001`;

/** `data` with every number as a marked string, so that reading it cannot pass through a double. */
const MARKED_DATA = `array_to_string(list_transform(regexp_extract_all(data, ${textLiteral(TOKENS)}), lambda token:
  CASE WHEN token[1] IN ('-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9') THEN ${textLiteral(`"${NUMBER_MARK}`)} || token || '"' ELSE token END), '')`;

/** Takes the marks off again: of a number itself, and of those inside an object or a list. */
const unmarked = (text: string): string =>
  `regexp_replace(regexp_replace(${text}, '^\\x01', ''), '"\\\\u0001(-?[0-9.]+)"', '\\1', 'g')`;

/**
 * The text of the value at a bound path: a string's content, otherwise its canonical text; null where there is none. The engine's JSON
 * reader keeps numbers as doubles, so where that could cost a digit (`data_odd`) they are made strings first.
 */
export const valueText = (parameter: string): string => `CASE WHEN data_odd
  THEN ${unmarked(`json_extract_string(${MARKED_DATA}, ${parameter})`)}
  ELSE json_extract_string(data, ${parameter}) END`;

/**
 * A number's text in plain form. Most is plain already; decimal strings may be anything that reads as a number: they go through a
 * DECIMAL, slowly, and what is none, or has more than 20 digits before the point, is an error.
 */
export const plainNumber = (text: string): string => `CASE
  WHEN regexp_full_match(${text}, '-?[0-9]{1,20}(\\.[0-9]{1,18})?') THEN ${text}
  ELSE CAST(CAST(${text} AS DECIMAL(38, 18)) AS VARCHAR) END`;

/** The whole units of a plain number, rounded towards zero. */
export const unitsOf = (plain: string): string => `CAST(split_part(${plain}, '.', 1) AS HUGEINT)`;

/** Its fraction in units of 10^-18, with its sign. */
export const fractionOf = (plain: string): string => `CASE
  WHEN NOT contains(${plain}, '.') THEN CAST(0 AS BIGINT)
  WHEN starts_with(${plain}, '-') THEN -CAST(rpad(split_part(${plain}, '.', 2), 18, '0') AS BIGINT)
  ELSE CAST(rpad(split_part(${plain}, '.', 2), 18, '0') AS BIGINT) END`;
