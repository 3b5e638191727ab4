import type { PaneInfo, Window, WindowedValue } from './sdk.ts';
import type { BeamInstant } from './sdk.ts';
import { instantOf, values } from './sdk.ts';

/** The least time that Beam knows, in ms since the epoch: where elements begin that have no time of their own. */
export const MIN_TIMESTAMP_MS = -9_223_372_036_854_775;

const MIN_TIMESTAMP = instantOf(MIN_TIMESTAMP_MS);
const GLOBAL_WINDOWS: Window[] = [new values.GlobalWindow()];
const ONLY_PANE: PaneInfo = {
  timing: values.Timing.UNKNOWN,
  index: 0,
  onTimeIndex: 0,
  isFirst: true,
  isLast: true,
};

/** The end of the global window, where every grouping of a bounded source hands on: what comes of that is not earlier. */
export const END_OF_TIME = (GLOBAL_WINDOWS[0] as unknown as { maxTimestamp(): BeamInstant }).maxTimestamp();

/** The value in the global window: what a bundle begins with, and what finishBundle emits where windows play no part. */
export const inGlobalWindow = <T>(value: T, timestamp = MIN_TIMESTAMP): WindowedValue<T> => ({
  value,
  windows: GLOBAL_WINDOWS,
  pane: ONLY_PANE,
  timestamp,
});
