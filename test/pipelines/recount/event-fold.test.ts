import { expect } from 'chai';
import { hourOf, MICROS_PER_HOUR } from '#domain/instant.ts';
import { fingerprintOf } from '#domain/metering/fingerprint.ts';
import { unpackHourCell } from '#domain/metering/hour-cell.ts';
import { unpackMinutes } from '#domain/metering/distinct-value.ts';
import type { MeteredEvent } from '#infra/warehouse/metered-event.ts';
import { createEventFold, type EventFold } from '#pipelines/recount/event-fold.ts';
import type { RecountedMeter } from '#pipelines/recount/match-events.ts';
import type { Recounted } from '#pipelines/recount/recounted.ts';

const HOUR = 490_000 * MICROS_PER_HOUR;

const foldOf = (only: RecountedMeter['only'] = 'all'): EventFold =>
  createEventFold({
    ...{ namespace: 'default', backfilled: { firstDay: 0, endDay: 100_000 }, only },
    meter: {
      ...{ key: 'm', version: 2, generation: 2, state: 'building', since: 5, until: null },
      definition: { name: 'M', eventType: 'use', aggregation: 'unique', value: 'v' },
    },
  });

const event = (id: number, given: Partial<MeteredEvent> = {}): MeteredEvent => ({
  ...{ identity: String(id).padStart(16), digest: fingerprintOf(String(id).padStart(16)) },
  ...{ id: '', source: '', type: 'use', subject: `s${id}`, time: HOUR, data: '{"v":1}', catalogueVersion: 1 },
  ...given,
});

const cells = (recounted: readonly Recounted[]): unknown[] =>
  recounted.flatMap((each) =>
    each.kind === 'hour'
      ? [[each.subject, each.by, each.hour, unpackHourCell('unique', each.cell).totals.count]]
      : [],
  );

describe('events folded where they are read', () => {
  it('leave as the cells of an hour once one of another hour comes, and at the end', () => {
    const fold = foldOf();
    const at = hourOf(HOUR);
    fold.add([event(1), event(2), event(3, { subject: 's1' })]);
    expect(fold.take()).to.deep.equal([]);
    fold.add([event(4, { time: HOUR + MICROS_PER_HOUR })]);
    expect(cells(fold.take())).to.deep.equal([
      ['s1', 'backfill', at, 2],
      ['s2', 'backfill', at, 1],
    ]);
    expect(cells(fold.end())).to.deep.equal([['s4', 'backfill', at + 1, 1]]);
    expect(fold.end()).to.deep.equal([]);
  });

  it('are those of a backfill and of the stream apart, and of one alone where only that is asked for', () => {
    const events = [event(1), event(2, { subject: 's1', catalogueVersion: 5 })];
    const counted = (only: RecountedMeter['only']): unknown[] => {
      const fold = foldOf(only);
      fold.add(events);
      return cells(fold.end());
    };
    const at = hourOf(HOUR);
    expect(counted('backfill')).to.deep.equal([['s1', 'backfill', at, 1]]);
    expect(counted('all')).to.deep.equal([
      ['s1', 'stream', at, 1],
      ['s1', 'backfill', at, 1],
    ]);
  });

  it('are held in a bounded number of cells, however many subjects an hour has, and none is lost', () => {
    const fold = foldOf();
    const subjects = 15_000;
    fold.add(Array.from({ length: subjects }, (_, id) => event(id)));
    const early = fold.take();
    expect(cells(early)).to.have.length.within(5_000, subjects - 1);
    fold.add(Array.from({ length: subjects }, (_, id) => event(id)));
    const all = [...early, ...fold.take(), ...fold.end()];
    const counts = new Map<string, number>();
    for (const each of all)
      if (each.kind === 'value')
        counts.set(each.subject, (counts.get(each.subject) ?? 0) + unpackMinutes(each.minutes).references);
    expect(counts.size).to.equal(subjects);
    expect(new Set(counts.values())).to.deep.equal(new Set([2]));
  });

  it('are told one by one where they cannot be measured', () => {
    const fold = foldOf();
    fold.add([event(1, { data: '{"v":{}}' })]);
    expect(fold.take()).to.deep.equal([{ kind: 'unmeasured', subject: 's1', time: HOUR }]);
  });
});
