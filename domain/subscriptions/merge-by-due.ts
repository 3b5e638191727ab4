import type { Instant } from '../instant.ts';

/** Several sequences, each in the order of `dueAt`, as one in that order; what is due at once comes in the order of the sequences. Lazy. */
export function* merged<Item extends { readonly dueAt: Instant }>(
  sequences: readonly Iterator<Item, void>[],
): Generator<Item, void> {
  let heads = sequences.flatMap((sequence) => headOf(sequence));
  for (;;) {
    const [first, ...others] = heads;
    if (first === undefined) return;
    const next = others.reduce((least, head) => (head.item.dueAt < least.item.dueAt ? head : least), first);
    yield next.item;
    heads = heads.flatMap((head) => (head === next ? headOf(next.sequence) : [head]));
  }
}

interface Head<Item> {
  readonly item: Item;
  readonly sequence: Iterator<Item, void>;
}

function headOf<Item>(sequence: Iterator<Item, void>): Head<Item>[] {
  const { value, done } = sequence.next();
  return done === true || value === undefined ? [] : [{ item: value, sequence }];
}
