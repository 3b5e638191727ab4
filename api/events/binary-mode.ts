import type { Refusal } from '#domain/metering/dead-letter.ts';
import { MAX_ATTRIBUTE_KEY_BYTES, MAX_ATTRIBUTE_VALUE_BYTES } from '#infra/topic/limits.ts';
import type { Attributes } from '#infra/topic/topic.ts';
import type { RequestContext } from '../http/route.ts';

type Headers = RequestContext['headers'];

/** The attributes of an event whose body is its data. What could not be read is left out, and the first fault named. */
export interface BinaryAttributes {
  readonly attributes: Attributes;
  readonly refusal: Refusal | undefined;
}

const PREFIX = 'ce-';
const CONTENT_TYPE = 'content-type';

/** The header that says that a request is in binary mode. */
export const isBinaryMode = (headers: Headers): boolean => headers['ce-specversion'] !== undefined;

/**
 * Reads the `ce-*` headers of an event in binary mode as the HTTP binding of CloudEvents writes them: percent-encoded UTF-8, or, as its
 * older versions did, a quoted string. The result is what a topic carries: the same names with their plain values.
 */
export function readBinaryAttributes(headers: Headers): BinaryAttributes {
  const attributes: Record<string, string> = {};
  let refusal: Refusal | undefined;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string' || (name !== CONTENT_TYPE && !name.startsWith(PREFIX))) continue;
    const text = name === CONTENT_TYPE ? value : decodeHeader(value);
    const fault = text === undefined ? notEncoded(name) : judgeLength(name, text);
    refusal ??= fault;
    if (text !== undefined && fault === undefined) attributes[name] = text;
  }
  return { attributes, refusal };
}

const PRINTABLE = /^[\t -~]*$/;
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/;

/** Undefined for what no sender that follows the binding can have meant. */
function decodeHeader(value: string): string | undefined {
  const quoted = QUOTED.exec(value)?.[1];
  const text = quoted === undefined ? value : quoted.replaceAll(/\\(.)/g, '$1');
  if (!PRINTABLE.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const notEncoded = (name: string): Refusal => ({
  reason: 'attribute_invalid',
  detail: `the header ${name} is not percent-encoded as the HTTP binding of CloudEvents asks`,
});

/** What the topic could not carry would fail the request for a reason that nobody could tell from an outage. */
function judgeLength(name: string, text: string): Refusal | undefined {
  if (Buffer.byteLength(name) > MAX_ATTRIBUTE_KEY_BYTES)
    return {
      reason: 'too_large',
      detail: `the name of a header has more than ${MAX_ATTRIBUTE_KEY_BYTES} bytes`,
    };
  if (Buffer.byteLength(text) > MAX_ATTRIBUTE_VALUE_BYTES)
    return {
      reason: 'too_large',
      detail: `the header ${name} has more than ${MAX_ATTRIBUTE_VALUE_BYTES} bytes`,
    };
  return undefined;
}
