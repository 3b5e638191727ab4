import { HASH128_BYTES, type Hash128 } from './hash128.ts';

/**
 * The place of each identity of one batch, in the order they came first. A Map of strings hashes every identity again and, for thousands of
 * them, is one large object that the collector of young objects moves to the old ones with all that it holds; identities are hashes already,
 * and typed arrays hold nothing.
 */
export interface IdentityPlaces {
  /** The place of the identity; where it is new, it gets the next one, and `size` rises. */
  placeOf(identity: Hash128): number;
  readonly size: number;
}

/** Slots for each identity, so that a look goes over few of them. */
const SLOTS_PER_IDENTITY = 2;
const SLOTS_MIN = 16;
const FREE = 0;

/**
 * An odd number without a pattern: the top bits of a product with it depend on all bits below. Who chooses ids so that their identities
 * share a home makes a batch compare numbers for some milliseconds longer, and no more.
 */
const SPREAD = 0x9e3779b1;

/** Room for so many identities; more of them throw `RangeError`. */
export function createIdentityPlaces(identitiesMax: number): IdentityPlaces {
  const bits = Math.ceil(Math.log2(Math.max(SLOTS_MIN, identitiesMax * SLOTS_PER_IDENTITY)));
  const shift = 32 - bits;
  const mask = 2 ** bits - 1;
  /** The place plus one, and beside it 32 bits of the identity, which all but settle the comparison. */
  const slots = new Int32Array(2 * (mask + 1));
  const identities: Hash128[] = [];
  return {
    placeOf: (identity) => {
      const tag = tagOf(identity);
      for (let slot = Math.imul(tag ^ besideOf(identity), SPREAD) >>> shift; ; slot = (slot + 1) & mask) {
        const place = (slots[2 * slot] as number) - 1;
        if (place < FREE) {
          if (identities.length === identitiesMax)
            throw new RangeError(`more than ${identitiesMax} identities`);
          slots[2 * slot] = identities.push(identity);
          slots[2 * slot + 1] = tag;
          return identities.length - 1;
        }
        if (slots[2 * slot + 1] === tag && identities[place] === identity) return place;
      }
    },
    get size() {
      return identities.length;
    },
  };
}

const wordAt = (identity: Hash128, at: number): number =>
  (identity.charCodeAt(at) << 24) |
  (identity.charCodeAt(at + 1) << 16) |
  (identity.charCodeAt(at + 2) << 8) |
  identity.charCodeAt(at + 3);

const tagOf = (identity: Hash128): number => wordAt(identity, 0);
const besideOf = (identity: Hash128): number => wordAt(identity, HASH128_BYTES - 4);
