/**
 * What the DoFns of a graph work with on the machine they run on: stores, topics, counters. DoFns are sent by value, so they carry only the name
 * under which to find it.
 */
export interface RuntimeRegistry<Runtime> {
  /** Makes a runtime known in this process. Throws where the name is taken. */
  provide(name: string, runtime: Runtime): void;
  withdraw(name: string): void;
  /** Throws where there is none of that name. */
  named(name: string): Runtime;
  /** The runtime is known for as long as the work takes. */
  during<Result>(name: string, runtime: Runtime, work: () => Promise<Result>): Promise<Result>;
}

export function createRuntimeRegistry<Runtime>(): RuntimeRegistry<Runtime> {
  const runtimes = new Map<string, Runtime>();
  const provide = (name: string, runtime: Runtime): void => {
    if (runtimes.has(name)) throw new Error(`the runtime ${name} is provided already`);
    runtimes.set(name, runtime);
  };
  const withdraw = (name: string): void => void runtimes.delete(name);
  return {
    provide,
    withdraw,
    named: (name) => {
      const runtime = runtimes.get(name);
      if (runtime === undefined)
        throw new Error(`no runtime ${name} in this process: provide it before the pipeline runs`);
      return runtime;
    },
    during: async (name, runtime, work) => {
      provide(name, runtime);
      try {
        return await work();
      } finally {
        withdraw(name);
      }
    },
  };
}
