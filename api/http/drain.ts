import { leave, type Leaving } from './leaving.ts';

/** The requests that are being worked on, their clients there or gone, so that a stopping server can wait for them, and then stop waiting. */
export interface Drain {
  begin(request: Leaving): void;
  end(request: Leaving): void;
  /** True from the moment on that the server was told to stop. */
  readonly draining: boolean;
  /** Resolves when no request is left, or with `abort`; from the call on `draining`. */
  drained(): Promise<void>;
  /** Tells what is left that nobody waits for it any more. */
  abort(): void;
}

export function createDrain(): Drain {
  const running = new Set<Leaving>();
  let draining = false;
  let whenEmpty = (): void => undefined;
  return {
    begin: (request) => void running.add(request),
    end: (request) => {
      running.delete(request);
      if (running.size === 0) whenEmpty();
    },
    get draining() {
      return draining;
    },
    drained: () => {
      draining = true;
      if (running.size === 0) return Promise.resolve();
      return new Promise((resolve) => (whenEmpty = resolve));
    },
    abort: () => {
      running.forEach(leave);
      whenEmpty();
    },
  };
}
