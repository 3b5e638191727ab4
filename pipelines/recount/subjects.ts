import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type {
  Asked,
  Matched,
  Recounted,
  RecountedHour,
  RecountedValue,
  SubjectRecount,
  Unmeasured,
} from './recounted.ts';

/** What is neither counted nor named, but makes its subject one that is looked at. */
export class SelectOthers implements SyncDoFn<Matched, Unmeasured | Asked> {
  process(matched: Matched, emit: Emit<Unmeasured | Asked>): void {
    if (matched.kind === 'unmeasured' || matched.kind === 'subject') emit(matched);
  }
}

export const subjectOf = ({ subject }: Recounted): string => subject;

export class GatherSubject implements SyncDoFn<Keyed<Iterable<Recounted>>, SubjectRecount> {
  process({ key: subject, value }: Keyed<Iterable<Recounted>>, emit: Emit<SubjectRecount>): void {
    const hours: RecountedHour[] = [];
    const values: RecountedValue[] = [];
    let unmeasured = 0;
    for (const each of value) {
      if (each.kind === 'hour') hours.push(each);
      else if (each.kind === 'value') values.push(each);
      else if (each.kind === 'unmeasured') unmeasured++;
    }
    emit({ subject, hours, values, unmeasured });
  }
}
