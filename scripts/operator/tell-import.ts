import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { toDecimalString } from '#domain/metering/quantity.ts';
import type { ForeseenImport } from '#infra/imports/foresee-import.ts';
import type { StagedImport } from '#infra/imports/imports.ts';
import type { RefusedLine } from '#infra/imports/tables.ts';

const number = (count: number): string => count.toLocaleString('en-US');
const SHOWN = 10;

const tellRefused = (refused: readonly RefusedLine[]): string[] =>
  refused
    .slice(0, SHOWN)
    .map(({ part, line, code, detail }) => `    part ${part}, line ${line}: ${code}: ${detail}`);

/** A line each: what would be counted, and what not. */
export function tellForeseenImport(seen: ForeseenImport): string {
  const lines = [
    `Would count ${number(seen.accepted)} events in ${number(seen.days)} days`,
    ...(seen.daysWithoutHours > 0
      ? [
          `  ${number(seen.daysWithoutHours)} of the days are so long ago that they are kept as a whole, without hours`,
        ]
      : []),
    `  duplicates  ${number(seen.duplicates)}`,
    `  conflicts   ${number(seen.conflicts)}`,
    `  refused     ${number(seen.refusedLines + seen.refusedEvents)}`,
    ...tellRefused(seen.refused),
    ...seen.meters.map(
      ({ meter, generation, events, value }) =>
        `  ${`${meter}@${generation}`.padEnd(11)} ${number(events)} events${value === null ? '' : `, ${toDecimalString(value)}`}`,
    ),
    `  subjects    ${number(seen.subjects.count)}`,
    `  customers   ${number(seen.customers.count)}`,
    ...seen.invoices.first.map(
      ({ id, number: named, customer }) => `  late usage  invoice ${named ?? id} of ${customer}`,
    ),
    ...(seen.invoices.more
      ? ['  late usage  and perhaps more: there are more invoices than were looked at']
      : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** An import in a line or some. */
export function tellImport({ row, events, refusedLines, refused, span }: StagedImport): string {
  const counted = Object.entries<number>({ ...row.counts })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${number(count)} ${what}`);
  const when = span === null ? '' : `, ${formatInstant(span.from)} to ${formatInstant(span.through)}`;
  return [
    `${row.id}  ${row.state}: ${counted.join(', ') || 'nothing counted'} of ${number(events)} events${when} (${row.reason})`,
    ...(refusedLines > 0 ? [`  ${number(refusedLines)} lines are no events`] : []),
    ...(row.state === 'applied' ? [] : tellRefused(refused)),
    ...(row.fault === null ? [] : [`  ${row.fault}`]),
    ...(row.undoneBy === null ? [] : [`  taken back by correction ${row.undoneBy}`]),
  ].join('\n');
}
