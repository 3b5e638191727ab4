import type { TimeWindow } from '../calendar/window.ts';
import type { Series } from './series.ts';

/** The value of every series that has usage in a window, as a decimal string; or the fingerprint of every series with events, in hex. */
export type Measured = ReadonlyMap<Series, string>;

/** Measures one window. Windows are asked for in order and without gaps, since a level runs on from one to the next. */
export type Measure = (window: TimeWindow) => Measured;
