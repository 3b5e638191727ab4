/** An internal of the SDK that a repair relies on is not where version 2.49.0 has it. Nothing may run on a half repaired SDK. */
export class SdkMoved extends Error {
  constructor(internal: string) {
    super(`apache-beam: ${internal} is not where it was in version 2.49.0; see pipelines/beam/README.md`);
    this.name = 'SdkMoved';
  }
}

/** The value, or SdkMoved with the name of what is missing. */
export function expectInternal<T>(value: T | null | undefined, internal: string): T {
  if (value === null || value === undefined) throw new SdkMoved(internal);
  return value;
}

/**
 * Puts `replacement` in the place of a method of the SDK and returns the original. The type of the method is the caller's claim;
 * that a function stands there, and takes as many parameters as we believe, is checked.
 */
export function replaceMethod<T extends object, K extends keyof T & string>(
  owner: T,
  method: K,
  parameters: number,
  replacement: T[K],
): T[K] {
  const original = owner[method];
  if (typeof original !== 'function' || original.length !== parameters) {
    throw new SdkMoved(`${owner.constructor.name}.${method}`);
  }
  owner[method] = replacement;
  return original;
}
