import { asyncParDo } from '#pipelines/beam/async-do-fn.ts';
import { apply } from '#pipelines/beam/graph.ts';
import { moduleName, register } from '#pipelines/beam/registration.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { recount } from '#pipelines/recount/graph.ts';
import type { RecountedMeter } from '#pipelines/recount/match-events.ts';
import type { RecountInput } from '#pipelines/recount/recounted.ts';
import { WriteSubjects } from './write-subjects.ts';

register(moduleName(import.meta.url), { WriteSubjects });

/** Of one part: the events of a day in, absolute cells of the backfill's slot out. */
export function buildBackfillGraph(
  events: PCollection<RecountInput>,
  { of, runtimeName }: { readonly of: RecountedMeter; readonly runtimeName: string },
): void {
  apply('write', recount(events, of), asyncParDo(new WriteSubjects(runtimeName)));
}
