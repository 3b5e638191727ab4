import { RE2JS } from 're2js';
import { PATTERN_BYTES_MAX } from '#domain/limits.ts';

/** Steps that a pattern may take for one character. */
const PATTERN_STEPS_MAX = 1_000;

export interface Pattern {
  test(text: string): boolean;
  /** How many steps it may take for one character: what it costs. */
  readonly steps: number;
}

/**
 * Compiles a pattern for matching in time that is linear in the text, or says what is wrong with it. Look-around and back-references
 * cannot be matched so and are refused.
 */
export function compilePattern(pattern: string): Pattern | { readonly fault: string } {
  if (Buffer.byteLength(pattern, 'utf8') > PATTERN_BYTES_MAX)
    return { fault: `has more than ${PATTERN_BYTES_MAX} bytes` };
  try {
    const compiled = RE2JS.compile(pattern);
    const steps = compiled.programSize();
    if (steps > PATTERN_STEPS_MAX) return { fault: 'repeats too much: it would be slow to match' };
    return { test: (text) => compiled.test(text), steps };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}
