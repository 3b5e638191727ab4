import { InterceptingCall, status } from '@grpc/grpc-js';
import type { Interceptor, StatusObject } from '@grpc/grpc-js';

/** What the client library is told of how long to try, as it takes it with each call. */
export interface Patience {
  readonly timeout: number;
  readonly retry?: object;
  readonly otherArgs?: object;
}

const BACKOFF_MS_MIN = 20;
const BACKOFF_MS_MAX = 1_000;
const BACKOFF_FACTOR = 2;

/** For a call with one answer: tried again, with longer and longer pauses, while Spanner cannot be reached, but not beyond this time. */
export const unaryPatience = (timeoutMs: number): Patience => ({
  timeout: timeoutMs,
  retry: {
    retryCodes: [status.UNAVAILABLE, status.RESOURCE_EXHAUSTED],
    backoffSettings: {
      initialRetryDelayMillis: BACKOFF_MS_MIN,
      retryDelayMultiplier: BACKOFF_FACTOR,
      maxRetryDelayMillis: BACKOFF_MS_MAX,
      initialRpcTimeoutMillis: timeoutMs,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: timeoutMs,
      totalTimeoutMillis: timeoutMs,
    },
  },
});

export interface StreamPatience {
  /** The whole stream, in milliseconds. */
  readonly timeoutMs: number;
  /** Without a message, while Spanner cannot be reached. */
  readonly outageMs: number;
}

/** For a stream. The library would try again without a pause for as long as the whole stream may last. */
export const streamPatience = ({ timeoutMs, outageMs }: StreamPatience): Patience => ({
  timeout: timeoutMs,
  otherArgs: { options: { interceptors: [pausing(outageMs)] } },
});

/** One for all tries of a stream: it holds the news of an outage back for a while, and in the end calls it by a name that is not tried again. */
export function pausing(outageMs: number): Interceptor {
  let since: number | undefined;
  let tries = 0;
  const tell = (told: StatusObject, next: (told: StatusObject) => void): void => {
    if (told.code !== status.UNAVAILABLE) return next(told);
    since ??= performance.now();
    if (performance.now() - since > outageMs)
      return next({
        ...told,
        code: status.DEADLINE_EXCEEDED,
        details: `no answer for ${outageMs} ms: ${told.details}`,
      });
    setTimeout(next, Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * BACKOFF_FACTOR ** tries++), told);
  };
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, _, next) =>
        next(metadata, {
          onReceiveMessage: (message, pass) => {
            since = undefined;
            tries = 0;
            pass(message);
          },
          onReceiveStatus: tell,
        }),
    });
}
