/** The exit status of a process that was told twice to stop. */
const EXIT_AT_ONCE = 130;
/** npm passes on the signal that a terminal has sent to both: within so long it is the same one. */
const SAME_SIGNAL_MS = 300;

/** Aborted when this process is told to stop: by SIGINT, by SIGTERM, or because its parent's channel closes. A second signal ends it at once. */
export function listenForStop(): AbortSignal {
  const told = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!told.signal.aborted) {
      firstAt = performance.now();
      told.abort();
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(EXIT_AT_ONCE);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  process.once('disconnect', () => told.abort());
  return told.signal;
}
