import { pino } from 'pino';
import type { Log } from './runner.ts';

/** Structured lines on standard error, so that standard output stays the program's own. */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, serializers: { err: pino.stdSerializers.errWithCause } },
    pino.destination({ dest: 2, sync: true }),
  );
}
