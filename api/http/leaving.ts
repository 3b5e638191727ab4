/** Whether the client of a request has gone. The signal is made when somebody asks for it: most requests are over before. */
export interface Leaving {
  readonly signal: AbortSignal;
  abort(): void;
}

export function createLeaving(): Leaving {
  let controller: AbortController | undefined;
  let gone = false;
  return {
    get signal() {
      controller ??= new AbortController();
      if (gone) controller.abort();
      return controller.signal;
    },
    abort: () => {
      gone = true;
      controller?.abort();
    },
  };
}
