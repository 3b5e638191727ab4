import type { Key, KeyPart } from '#infra/database/table.ts';
import { keyOfRow } from './row-table.ts';
import type { RowTable } from './row-table.ts';
import type { Mutation } from './table-store.ts';

/** A write with the name and the partition of its key, which several steps need. */
export interface KeyedMutation {
  readonly mutation: Mutation;
  readonly partition: KeyPart;
  readonly key: string;
}

/** One string a key: with the lengths before the parts no two keys share one. */
export function keyName(key: Key): string {
  let name = '';
  for (const part of key) name += typeof part === 'string' ? `${part.length}:${part}` : `${String(part)};`;
  return name;
}

function comparePhysically(a: KeyedMutation, b: KeyedMutation): number {
  if (a.partition !== b.partition) return precedes(a.partition, b.partition) ? -1 : 1;
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}

/** Parts of one column are of one type; a key column has no nulls. */
const precedes = (a: KeyPart, b: KeyPart): boolean => (a as string) < (b as string);

/** Neighbours on disk are then written one after the other; writes to one key keep their order. */
export function inPhysicalOrder(of: RowTable, by: string, mutations: readonly Mutation[]): KeyedMutation[] {
  const at = of.table.key.indexOf(by);
  const keyed = (mutation: Mutation): KeyedMutation => {
    const key = mutation.kind === 'delete' ? mutation.key : keyOfRow(of, mutation.row);
    return { mutation, partition: key[at] ?? null, key: keyName(key) };
  };
  return mutations.map(keyed).sort(comparePhysically);
}
