import { floorToMinute, type Instant } from '../instant.ts';
import type { TimeWindow } from './window.ts';

/**
 * A period cut at the changes inside it: segments in order, contiguous, covering it exactly. Changes come in any order and number, are
 * moved down to their minute, and count only where they leave something on both sides. A period within one minute has no segments.
 * Worked: January, changed on the 10th and again on the 10th, is 1-10 and 10-1.
 */
export function segmentsOf(period: TimeWindow, changes: Iterable<Instant>): TimeWindow[] {
  const from = floorToMinute(period.from);
  const to = floorToMinute(period.to);
  if (from >= to) return [];
  const cuts = [...new Set([...changes].map(floorToMinute))].filter((cut) => cut > from && cut < to);
  const starts = [from, ...cuts.sort((a, b) => a - b)];
  return starts.map((start, index) => ({ from: start, to: starts[index + 1] ?? to }));
}
