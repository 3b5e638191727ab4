import type { MeterLine } from './format.ts';
import type { Line, LinePlace } from './read-lines.ts';

/** A stretch of catalogue versions in which the same meters counted, and where the events that were committed then stand in the file. */
export interface Epoch {
  /** The meters are those of this catalogue version; 0 where there were none yet. */
  readonly since: number;
  readonly events: number;
  /** Undefined without events; others may stand in between. */
  readonly first: LinePlace | undefined;
  readonly lastLine: number;
}

/** The catalogue versions at which meters began or ceased to count, in order, from 0 on. */
export function catalogueChanges(meters: readonly MeterLine[]): number[] {
  const changes = meters.flatMap(({ since, until }) => (until === null ? [since] : [since, until]));
  return [...new Set([0, ...changes])].sort((a, b) => a - b);
}

/** The place, among rising changes, of the last one that is not after the version. */
export function epochIndex(changes: readonly number[], version: number): number {
  let [low, high] = [0, changes.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((changes[middle] ?? 0) <= version) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Gathers where the events of each epoch stand. */
export function createEpochs(meters: readonly MeterLine[]) {
  const changes = catalogueChanges(meters);
  const epochs = changes.map((since): { -readonly [Field in keyof Epoch]: Epoch[Field] } => ({
    since,
    events: 0,
    first: undefined,
    lastLine: 0,
  }));
  return {
    add: (catalogueVersion: number, { number, offset }: Line): void => {
      const epoch = epochs[epochIndex(changes, catalogueVersion)];
      if (epoch === undefined) return;
      epoch.events++;
      epoch.first ??= { number, offset };
      epoch.lastLine = number;
    },
    all: (): readonly Epoch[] => epochs,
  };
}
