/**
 * The options of Node for a process that commits batches of events.
 *
 * The young generation is large enough that the events of a batch die in it, instead of being copied. And nothing is made in the old
 * generation at once because its like once outlived a batch: as garbage it would stay there until the old generation has doubled.
 */
export const HEAP_OPTIONS = ['--max-semi-space-size=64', '--no-allocation-site-pretenuring'] as const;
