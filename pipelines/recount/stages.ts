import { moduleName, register } from '#pipelines/beam/registration.ts';
import { nameOfNamed, ReferenceCombiner, SelectNamed, ToRecountedValue } from './distinct-values.ts';
import { HourCellCombiner, SelectCounted, seriesOfCounted, ToRecountedHour } from './hour-cells.ts';
import { MatchEvents } from './match-events.ts';
import { GatherSubject, SelectOthers, subjectDayOf } from './subjects.ts';
import { timestampOf } from './timestamp.ts';

// Workers load this module by name and find in it every function of the graph.
register(moduleName(import.meta.url), {
  GatherSubject,
  HourCellCombiner,
  MatchEvents,
  nameOfNamed,
  ReferenceCombiner,
  SelectCounted,
  SelectNamed,
  SelectOthers,
  seriesOfCounted,
  subjectDayOf,
  timestampOf,
  ToRecountedHour,
  ToRecountedValue,
});
