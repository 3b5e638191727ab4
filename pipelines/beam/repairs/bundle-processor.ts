import { disposeOperators } from '../operator.ts';
import { replaceMethod } from '../sdk-moved.ts';
import type { IOperator } from '../sdk.ts';
import { logging, workers } from '../sdk.ts';

export type BundleProcessor = InstanceType<typeof workers.BundleProcessor>;

interface DataSource extends IOperator {
  readonly multiplexingDataChannel: { forget?(bundleId: string): void };
}
const isDataSource = (operator: IOperator): operator is DataSource => 'multiplexingDataChannel' in operator;

/** The operators begin from the last to the first, so that each finds its consumers begun, and end from the first to the last. */
async function runOperators(processor: BundleProcessor): Promise<void> {
  const { loggingStageInfo, topologicallyOrderedOperators: operators } = processor;
  for (const operator of operators.toReversed()) {
    loggingStageInfo.transformId = operator.transformId;
    await operator.startBundle();
  }
  for (const operator of operators) {
    loggingStageInfo.transformId = operator.transformId;
    await operator.finishBundle();
  }
}

/** What is in flight must not reach into the bundle's next attempt, and data that arrives later must not be kept for it. */
async function abandon(processor: BundleProcessor, bundleId: string): Promise<void> {
  const operators = processor.topologicallyOrderedOperators;
  // A teardown that fails as well must not hide the error that the bundle failed with.
  await disposeOperators(operators);
  for (const operator of operators.filter(isDataSource)) operator.multiplexingDataChannel.forget?.(bundleId);
}

/**
 * As the SDK's own, without its line on the console for every bundle, without changing the caller's async context,
 * and leaving nothing behind when the bundle fails. A processor whose bundle failed must not be used again.
 */
async function processBundle(this: BundleProcessor, bundleId: string): Promise<void> {
  const { loggingStageInfo } = this;
  this.metricsContainer.reset();
  this.currentBundleId = bundleId;
  loggingStageInfo.instructionId = bundleId;
  try {
    await logging.loggingLocalStorage.run(loggingStageInfo, () => runOperators(this));
  } catch (error) {
    await abandon(this, bundleId);
    throw error;
  } finally {
    delete loggingStageInfo.transformId;
    delete loggingStageInfo.instructionId;
    delete this.currentBundleId;
    delete this.stateProvider;
  }
}

export function repairBundleProcessor(): void {
  replaceMethod(workers.BundleProcessor.prototype, 'process', 1, processBundle);
}
