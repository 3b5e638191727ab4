import { apply } from '#pipelines/beam/graph.ts';
import { moduleName, register } from '#pipelines/beam/registration.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { recount } from '#pipelines/recount/graph.ts';
import type { RecountedMeter } from '#pipelines/recount/match-events.ts';
import type { RecountInput } from '#pipelines/recount/recounted.ts';
import { CompareSubjects } from './compare-subjects.ts';

register(moduleName(import.meta.url), { CompareSubjects });

/** Of one day: its events, and the subjects that have cells; what differs goes to the runtime. */
export function buildReconcileGraph(
  events: PCollection<RecountInput>,
  { of, runtimeName }: { readonly of: RecountedMeter; readonly runtimeName: string },
): void {
  apply('compare', recount(events, of), syncParDo(new CompareSubjects(runtimeName)));
}
