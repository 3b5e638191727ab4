import type { Hash128 } from '#domain/metering/hash128.ts';
import { isWhole, sumOf } from '#pipelines/recount/control-total.ts';
import type { SubjectRecount } from '#pipelines/recount/recounted.ts';

/** How many control totals of subjects, and of whom: the sum of the hashes of their names. */
interface Pieces {
  readonly pieces: number;
  readonly names: Hash128;
}

/** What was read of a part of the work, and what of it has arrived at its end. Sums; plain data. */
export interface ControlTally {
  /** Shards that were read wholly, and how many there are. */
  readonly shardsRead: number;
  readonly shards: number;
  readonly read: Pieces;
  readonly arrived: Pieces;
  /** Subjects of which not all has arrived, or more than was read. */
  readonly broken: number;
}

const NO_PIECES: Pieces = { pieces: 0, names: '\0'.repeat(16) };

export const NO_CONTROL: ControlTally = {
  ...{ shardsRead: 0, shards: 0, broken: 0 },
  ...{ read: NO_PIECES, arrived: NO_PIECES },
};

const bothPieces = (a: Pieces, b: Pieces): Pieces => ({
  pieces: a.pieces + b.pieces,
  names: sumOf(a.names, b.names),
});

export const bothControlled = (a: ControlTally, b: ControlTally): ControlTally => ({
  shardsRead: a.shardsRead + b.shardsRead,
  shards: Math.max(a.shards, b.shards),
  read: bothPieces(a.read, b.read),
  arrived: bothPieces(a.arrived, b.arrived),
  broken: a.broken + b.broken,
});

/** Of one shard of so many that was read to its end. */
export const controlOfRead = (shards: number, read: Pieces): ControlTally => ({
  ...NO_CONTROL,
  ...{ shardsRead: 1, shards, read },
});

/** Of a subject's day that has arrived. It may be written, or repaired, only where it is not broken. */
export const controlOfArrived = (recount: SubjectRecount): ControlTally => {
  const { pieces, names } = recount.control ?? NO_PIECES;
  return { ...NO_CONTROL, arrived: { pieces, names }, broken: isWhole(recount) ? 0 : 1 };
};

/** The engine has lost elements on their way, or repeated them: the results of the part are not those of its events. */
export class ElementsLost extends Error {
  constructor(part: string, { shardsRead, shards, read, arrived, broken }: ControlTally) {
    super(
      `the engine lost or repeated elements of ${part}: ${shardsRead} of ${shards} shards were read, ` +
        `${arrived.pieces} of ${read.pieces} subjects arrived, ${broken} of them not whole; the part stays open`,
    );
    this.name = 'ElementsLost';
  }
}

/** Throws `ElementsLost` unless exactly what was read has arrived. */
export function assertAllArrived(part: string, control: ControlTally): void {
  const { shardsRead, shards, read, arrived, broken } = control;
  const isAll =
    shardsRead === shards && read.pieces === arrived.pieces && read.names === arrived.names && broken === 0;
  if (!isAll) throw new ElementsLost(part, control);
}
