/** Random numbers that a seed decides, so that whatever they led to can be repeated. */
export interface SeededRandom {
  /** In [0, 1). */
  readonly next: () => number;
  /** A whole number in [0, limit). */
  readonly below: (limit: number) => number;
  /** True with this probability. */
  readonly chance: (probability: number) => boolean;
  readonly pick: <Item>(items: readonly Item[]) => Item;
  /** A new array with the same items in another order. */
  readonly shuffle: <Item>(items: readonly Item[]) => Item[];
}

/** The first outputs of sfc32 still show the seed; after these it is mixed through. */
const WARM_UP_ROUNDS = 12;
const TWO_TO_THE_32 = 2 ** 32;

/** sfc32: small, quick and good enough to pass PractRand. Neighbouring seeds give unrelated sequences. */
function sfc32(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, Math.floor(seed / TWO_TO_THE_32) | 0, 0x9e3779b9 | 0, 1];
  const draw = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / TWO_TO_THE_32;
  };
  for (let round = 0; round < WARM_UP_ROUNDS; round++) draw();
  return draw;
}

export function seededRandom(seed: number): SeededRandom {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a safe integer, not ${seed}`);
  const next = sfc32(seed);
  const below = (limit: number): number => Math.floor(next() * limit);

  function pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[below(items.length)] as Item;
  }

  function shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as Item, shuffled[last] as Item];
    }
    return shuffled;
  }

  return { next, below, chance: (probability) => next() < probability, pick, shuffle };
}
