import { dayOf, HOURS_PER_DAY, type DayIndex } from '#domain/instant.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import { bothTold, type ControlTotal } from './control-total.ts';
import type { Recounted, RecountedHour, RecountedValue, SubjectRecount } from './recounted.ts';

/** What is neither counted nor named, but makes its subject one that is looked at. */
export class SelectOthers implements SyncDoFn<Recounted, Recounted> {
  process(recounted: Recounted, emit: Emit<Recounted>): void {
    if (recounted.kind === 'unmeasured' || recounted.kind === 'subject') emit(recounted);
  }
}

function dayOfRecounted(recounted: Recounted): DayIndex {
  switch (recounted.kind) {
    case 'hour':
      return Math.floor(recounted.hour / HOURS_PER_DAY);
    case 'unmeasured':
      return dayOf(recounted.time);
    case 'value':
    case 'subject':
      return recounted.day;
  }
}

/** Names a subject's day. The day comes first: no digit of it can be one of the subject. */
export const subjectDayOf = (recounted: Recounted): string =>
  `${dayOfRecounted(recounted)} ${recounted.subject}`;

export class GatherSubject implements SyncDoFn<Keyed<Iterable<Recounted>>, SubjectRecount> {
  process({ key, value }: Keyed<Iterable<Recounted>>, emit: Emit<SubjectRecount>): void {
    const hours: RecountedHour[] = [];
    const values: RecountedValue[] = [];
    let unmeasured = 0;
    let stored: Uint8Array | undefined;
    let control: ControlTotal | undefined;
    for (const each of value) {
      if (each.kind === 'hour') hours.push(each);
      else if (each.kind === 'value') values.push(each);
      else if (each.kind === 'unmeasured') unmeasured++;
      else {
        stored ??= each.stored;
        if (each.control !== undefined) control = bothTold(control, each.control);
      }
    }
    const end = key.indexOf(' ');
    const of = { day: Number(key.slice(0, end)), subject: key.slice(end + 1) };
    emit({ ...of, hours, values, unmeasured, ...(stored && { stored }), ...(control && { control }) });
  }
}
