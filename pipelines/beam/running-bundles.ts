/** What a worker is told of bundles that fail, so that it can say so. */
export type FailureListener = (bundleId: string, error: unknown) => void;

const running = new Map<object, (error: unknown) => void>();
let listener: FailureListener = () => undefined;

/** From now on the listener is told of each bundle that fails; it takes the place of the one before. */
export function onBundleFailure(tell: FailureListener): void {
  listener = tell;
}

/** Tells the listener. It must not throw. */
export const tellBundleFailure: FailureListener = (bundleId, error) => listener(bundleId, error);

/**
 * The work of a bundle, which also fails when `failRunningBundles` is called before it has ended. The work itself goes on then, since nothing
 * can stop it; what it comes to is given to `late`.
 */
export async function asRunningBundle(work: Promise<void>, late: () => void): Promise<void> {
  const failure = Promise.withResolvers<never>();
  const key = {};
  running.set(key, failure.reject);
  try {
    await Promise.race([work, failure.promise]);
  } catch (error) {
    // Where the work itself failed this is nothing, since its processor has let everything go already.
    void work.then(late, () => undefined);
    throw error;
  } finally {
    running.delete(key);
  }
}

/** An error that nobody caught belongs to some bundle, and nobody knows to which. Returns how many bundles fail with it. */
export function failRunningBundles(error: unknown): number {
  const failures = [...running.values()];
  running.clear();
  for (const fail of failures)
    fail(new Error('an error that nobody caught, in this bundle or beside it', { cause: error }));
  return failures.length;
}
