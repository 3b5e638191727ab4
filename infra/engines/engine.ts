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
   * Ends every job of that name that has not ended, at once, and resolves when the engine says so; harmless when there is none. Neither engine can
   * drain a job whose source is ours: that is done from without.
   */
  stopJob(name: string): Promise<void>;
  /** Ends what was started for it, its workers included. Harmless when it has gone. */
  close(): Promise<void>;
}

/** An engine that cannot be had on this machine, with the reason: not an error of whoever asked. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}
