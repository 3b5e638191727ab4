import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { CorrectionAction } from '#domain/corrections/correction.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import type { AffectedNames } from '#infra/corrections/foresee-affected.ts';
import type { ForeseenCorrection } from '#infra/corrections/foresee-correction.ts';
import type { CorrectionRow } from '#infra/corrections/tables.ts';
import type { ProgressBar } from './progress-bar.ts';
import type { Terminal } from './terminal.ts';

const number = (count: number): string => count.toLocaleString('en-US');
const NAMES_SHOWN = 5;

const names = ({ count, first }: AffectedNames): string =>
  count === 0
    ? '0'
    : `${number(count)}: ${first
        .slice(0, NAMES_SHOWN)
        .map(({ name }) => name)
        .join(', ')}${count > NAMES_SHOWN ? ', …' : ''}`;

/** A line each: what it would do to what. */
export function tellForeseen(action: CorrectionAction, seen: ForeseenCorrection): string {
  const lines = [
    `Would ${action} ${number(seen.changed)} of ${number(seen.matched)} events, counted by ${formatInstant(seen.asOf)}`,
    ...(seen.unchanged > 0 ? [`  unchanged     ${number(seen.unchanged)}`] : []),
    ...(seen.refused > 0 ? [`  refused       ${number(seen.refused)}, left as they are`] : []),
    ...seen.refusedEvents.slice(0, NAMES_SHOWN).map(({ id, detail }) => `                ${id}: ${detail}`),
    ...seen.meters.map(
      ({ meter, generation, events, value, isActive }) =>
        `  ${`${meter}@${generation}`.padEnd(13)} ${number(events)} events${value === null ? '' : `, ${toDecimalString(value)}`}${isActive ? '' : ' (not active)'}`,
    ),
    `  subjects      ${names(seen.subjects)}`,
    `  customers     ${names(seen.customers)}`,
    `  cells         ${number(seen.cells)}, in ${number(seen.closedDays)} closed days`,
    ...seen.limits.map(
      ({ customer, feature, limit, change }) =>
        `  limit         ${customer} ${feature} ${limit}: ${toDecimalString(change)}`,
    ),
    ...(seen.settledReservations > 0
      ? [`  reservations  ${number(seen.settledReservations)} stay settled`]
      : []),
    ...seen.invoices.first.map(
      ({ id, number: named, customer }) => `  late usage    invoice ${named ?? id} of ${customer}`,
    ),
    ...(seen.invoices.more
      ? ['  late usage    and perhaps more: there are more invoices than were looked at']
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** A correction in a line or two. */
export function tellCorrection(row: CorrectionRow): string {
  const { id, action, state, counts, matched, reason, refused, fault } = row;
  const parts = Object.entries<number>({ ...counts })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${number(count)} ${what}`);
  const head = `${id}  ${action} ${state}: ${parts.join(', ') || 'nothing changed'} of ${matched === null ? '?' : number(matched)} events (${reason})`;
  const more = refused.slice(0, NAMES_SHOWN).map(({ id: event, detail }) => `  ${event}: ${detail}`);
  return [head, ...more, ...(fault === null ? [] : [`  ${fault}`])].join('\n');
}

const LABELS = { counting: 'counted', applying: 'corrected', undoing: 'undone' } as const;

/** A bar for each thing that is done to the events. */
export function followCorrection(terminal: Terminal): {
  readonly update: (row: CorrectionRow) => void;
  readonly end: () => void;
} {
  let shown: { readonly state: string; readonly bar: ProgressBar } | undefined;
  return {
    update: ({ state, matched, counts }) => {
      if (!(state in LABELS)) return;
      if (shown?.state !== state) {
        shown?.bar.end();
        shown = { state, bar: terminal.progress(LABELS[state as keyof typeof LABELS]) };
      }
      const { changed, already, unchanged, refused, undone, superseded } = counts;
      if (state === 'undoing') shown.bar.update(undone + superseded, changed);
      else if (state === 'applying') shown.bar.update(changed + already + unchanged + refused, matched ?? 0);
    },
    end: () => shown?.bar.end(),
  };
}
