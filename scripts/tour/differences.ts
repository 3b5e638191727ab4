import { isDeepStrictEqual } from 'node:util';

const ANYTHING = '…';

/**
 * How an answer differs from what the guide shows; empty when it does not. The guide may leave out members of objects, but not items of
 * lists; an ellipsis in a text stands for anything.
 */
export function differences(shown: unknown, found: unknown, place = ''): string[] {
  if (typeof shown === 'string' && typeof found === 'string' && shown.includes(ANYTHING))
    return patternOf(shown).test(found) ? [] : [difference(place, shown, found)];
  if (Array.isArray(shown)) {
    if (!Array.isArray(found) || found.length !== shown.length) return [difference(place, shown, found)];
    return shown.flatMap((item, index) => differences(item, found[index], `${place}/${index}`));
  }
  if (isObject(shown) && isObject(found))
    return Object.entries(shown).flatMap(([name, value]) =>
      differences(value, found[name], `${place}/${name}`),
    );
  return isDeepStrictEqual(shown, found) ? [] : [difference(place, shown, found)];
}

/** The same for text, a line at a time; an empty line at the end is none. */
export const lineDifferences = (shown: string, found: string): string[] =>
  differences(shown.trimEnd().split(/\r?\n/), found.trimEnd().split(/\r?\n/));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const patternOf = (shown: string): RegExp =>
  new RegExp(`^${shown.split(ANYTHING).map(escaped).join('.+')}$`, 's');

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

const difference = (place: string, shown: unknown, found: unknown): string =>
  `${place === '' ? 'the answer' : place}: the guide shows ${JSON.stringify(shown)}, the answer is ${JSON.stringify(found)}`;
