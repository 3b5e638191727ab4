/** Whether the client of a request has gone. The signal is made when somebody asks for it: most requests are over before. */
export interface Leaving {
  gone: boolean;
  controller: AbortController | undefined;
}

export const createLeaving = (): Leaving => ({ gone: false, controller: undefined });

/** Aborted once the client has gone. */
export function signalOf(leaving: Leaving): AbortSignal {
  leaving.controller ??= new AbortController();
  if (leaving.gone) leaving.controller.abort();
  return leaving.controller.signal;
}

/** The client has gone, or is waited for no longer. */
export function leave(leaving: Leaving): void {
  leaving.gone = true;
  leaving.controller?.abort();
}
