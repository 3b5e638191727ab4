import { moduleName, register } from '#pipelines/beam/registration.ts';
import { nameOfValue, ReferenceCombiner, SelectValues, ToRecountedValue } from './distinct-values.ts';
import { FoldEvents } from './fold-events.ts';
import { HourCellCombiner, SelectHours, seriesOfHour, ToRecountedHour } from './hour-cells.ts';
import { GatherSubject, SelectOthers, subjectDayOf } from './subjects.ts';
import { beginOfDay, beginOfHour } from './timestamp.ts';

// Workers load this module by name and find in it every function of the graph.
register(moduleName(import.meta.url), {
  beginOfDay,
  beginOfHour,
  FoldEvents,
  GatherSubject,
  HourCellCombiner,
  nameOfValue,
  ReferenceCombiner,
  SelectHours,
  SelectOthers,
  SelectValues,
  seriesOfHour,
  subjectDayOf,
  ToRecountedHour,
  ToRecountedValue,
});
