import type { CombineFn } from '#pipelines/beam/combining.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { moduleName, register } from '#pipelines/beam/registration.ts';
import type { Transform } from '#pipelines/beam/sdk.ts';
import { syncParDo, type SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';

export const parityOf = (n: number): string => (n % 2 === 0 ? 'even' : 'odd');

/** A sum whose accumulator is no plain data until it is made compact: a coder would refuse it. */
class Running {
  total = 0;
}
export type Total = Running | { readonly packed: string };

const totalOf = (total: Total): number => (total instanceof Running ? total.total : Number(total.packed));

export class Totals implements CombineFn<number, Total, number> {
  createAccumulator(): Total {
    return new Running();
  }

  addInput(into: Total, n: number): Total {
    const running = into instanceof Running ? into : Object.assign(new Running(), { total: totalOf(into) });
    running.total += n;
    return running;
  }

  mergeAccumulators(several: Iterable<Total>): Total {
    const merged = new Running();
    for (const each of several) merged.total += totalOf(each);
    return merged;
  }

  compact(total: Total): Total {
    return { packed: String(totalOf(total)) };
  }

  extractOutput(total: Total): number {
    return totalOf(total);
  }
}

export const gatheredTotals: Keyed<number>[] = [];

export class GatherTotals implements SyncDoFn<Keyed<number>, never> {
  process(total: Keyed<number>): void {
    gatheredTotals.push(total);
  }

  transform(): Transform<Keyed<number>, never> {
    return syncParDo(this);
  }
}

register(moduleName(import.meta.url), { GatherTotals, parityOf, Totals });
