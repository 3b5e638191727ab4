import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { QueryRefused } from '../errors.ts';
import type { QueryParameters } from '../warehouse.ts';

/** The parameters of one question, each read at most once and checked; what nobody asked for is refused, since it is a typing error. */
export interface Parameters {
  text(name: string): string;
  optionalText(name: string): string | undefined;
  optionalTexts(name: string): readonly string[] | undefined;
  oneOf<Choice extends string>(name: string, choices: readonly Choice[], otherwise?: Choice): Choice;
  flag(name: string): boolean;
  instant(name: string): Instant;
  optionalInstant(name: string): Instant | undefined;
  optionalCount(name: string): number | undefined;
  /** A place in a list: 0 or above. */
  optionalPlace(name: string): number | undefined;
  /** Throws if a parameter was given that was not read. */
  finish(): void;
}

export function readParameters(query: string, given: QueryParameters): Parameters {
  const unread = new Set(Object.keys(given));
  const refuse = (name: string, fault: string): never => {
    throw new QueryRefused(`query ${query}: parameter ${name} ${fault}`);
  };
  const take = (name: string): QueryParameters[string] | undefined => {
    unread.delete(name);
    return given[name] ?? undefined;
  };

  function optionalText(name: string): string | undefined {
    const value = take(name);
    if (value === undefined || typeof value === 'string') return value;
    return refuse(name, 'is not a string');
  }

  function optionalInstant(name: string): Instant | undefined {
    const text = optionalText(name);
    if (text === undefined) return undefined;
    const at = parseRfc3339(text)?.at;
    return at !== undefined && Number.isSafeInteger(at) ? at : refuse(name, 'is not an RFC 3339 time');
  }

  const optionalWhole = (name: string, least: number): number | undefined => {
    const value = take(name);
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= least))
      return value;
    return refuse(name, `is not a whole number from ${least} on`);
  };

  return {
    text: (name) => optionalText(name) ?? refuse(name, 'is required'),
    optionalText,
    optionalTexts: (name) => {
      const value = take(name);
      if (value === undefined || (Array.isArray(value) && value.every((item) => typeof item === 'string')))
        return value;
      return refuse(name, 'is not a list of strings');
    },
    oneOf: (name, choices, otherwise) => {
      const value = optionalText(name) ?? otherwise;
      return choices.find((choice) => choice === value) ?? refuse(name, `is none of ${choices.join(', ')}`);
    },
    flag: (name) => {
      const value = take(name) ?? false;
      return typeof value === 'boolean' ? value : refuse(name, 'is not true or false');
    },
    instant: (name) => optionalInstant(name) ?? refuse(name, 'is required'),
    optionalInstant,
    optionalCount: (name) => optionalWhole(name, 1),
    optionalPlace: (name) => optionalWhole(name, 0),
    finish: () => {
      for (const name of unread) refuse(name, 'is not one of its parameters');
    },
  };
}
