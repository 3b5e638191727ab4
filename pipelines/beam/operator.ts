import type { DelayedBundleApplication } from 'apache-beam/proto/beam_fn_api';
import type { IOperator, ProcessResult } from './sdk.ts';
import { operators } from './sdk.ts';

/** An operator that has something to give back when it is not used any more. */
export interface Disposable extends IOperator {
  /** Waits for what is in flight and tears its DoFn down. It is called once, between or after bundles. */
  dispose(): Promise<void>;
}

/** An operator that may leave work of its bundle to a later one. */
export interface Checkpointing extends IOperator {
  /** The bundle should end soon and leave the rest to a later one. */
  checkpoint(): void;
  /** What the bundle that has just finished left to do. The caller owns it: a second call returns nothing. */
  takeResiduals(): DelayedBundleApplication[];
}

export const isCheckpointing = (operator: IOperator): operator is Checkpointing =>
  'takeResiduals' in operator;

const isDisposable = (operator: IOperator): operator is Disposable => 'dispose' in operator;

/** Disposes of all of them, whatever happens, and returns the errors of those that failed. */
export async function disposeOperators(of: Iterable<IOperator>): Promise<unknown[]> {
  const ends = await Promise.allSettled([...of].filter(isDisposable).map((operator) => operator.dispose()));
  return ends.flatMap((end): unknown[] => (end.status === 'rejected' ? [end.reason] : []));
}

/** What consumers ask to be waited for, as one result. If `run` throws, nobody will wait: then their failures are not unhandled ones. */
export function gatherResults(run: (add: (result: ProcessResult) => void) => void): ProcessResult {
  const results = new operators.ProcessResultBuilder();
  try {
    run((result) => results.add(result));
  } catch (error) {
    results.build()?.catch(() => undefined);
    throw error;
  }
  return results.build();
}
