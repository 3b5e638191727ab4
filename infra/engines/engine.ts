/** A distributed engine that runs portable jobs, as whoever submits to it and watches it sees it. */
export interface Engine {
  readonly name: 'prism' | 'flink';
  /** `host:port` of its job service. */
  readonly jobEndpoint: string;
  /** Its own processes, without the workers that it starts; none when it runs elsewhere and is only used here. */
  readonly pids: readonly number[];
  /** Resolves with the reason when it has ended though nobody closed it. Pending for one that runs elsewhere. */
  readonly exited: Promise<string>;
  /**
   * Ends every job of that name that has not ended, and resolves when the engine says so; harmless when there is none. With `drain`, an engine
   * that can do it ends the sources and works off what they have read; one that cannot stops at once.
   */
  stopJob(name: string, options?: StopOptions): Promise<void>;
  /** Ends what was started for it, its workers included. Harmless when it has gone. */
  close(): Promise<void>;
}

export interface StopOptions {
  readonly drain?: boolean;
}

/** An engine that cannot be had on this machine, with the reason: not an error of whoever asked. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}
