/**
 * The suites of test modules, to be declared inside another suite: what they say must hold, by another driver. Modules that were loaded
 * before declare nothing a second time.
 */
export async function suitesOf(load: () => Promise<unknown>): Promise<() => void> {
  const original = globalThis.describe;
  const suites: (() => unknown)[] = [];
  const collect = (title: string, declare: (this: Mocha.Suite) => void): void => {
    suites.push(() => original(title, declare));
  };
  globalThis.describe = Object.assign(collect, original);
  try {
    await load();
  } finally {
    globalThis.describe = original;
  }
  return () => {
    for (const declare of suites) declare();
  };
}
