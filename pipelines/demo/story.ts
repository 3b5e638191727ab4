import type { DataSet } from './data-set.ts';
import type { Expected } from './expected.ts';
import type { Found, UsageLine } from './check.ts';
import type { FreshnessMillis } from './freshness.ts';
import type { DemoOptions } from './options.ts';
import type { Run } from './run.ts';

export interface Told {
  readonly options: DemoOptions;
  readonly dataSet: DataSet;
  readonly run: Run;
  readonly expected: Expected;
  readonly found: Found;
  readonly freshnessMs: FreshnessMillis;
  readonly ok: boolean;
}

const number = (value: number): string => value.toLocaleString('en-US');
const duplicatesOf = ({ expected, found }: Told): number =>
  expected.sent -
  found.counted -
  found.conflicts -
  Object.values(found.deadLetters).reduce((sum, count) => sum + count, 0);

/** The demo's result for a person. */
export function tell(told: Told): string {
  const { options, dataSet, run, expected, found, freshnessMs, ok } = told;
  const refused = Object.entries(found.deadLetters).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '',
    `Millrace demo: ${dataSet.title}${options.twice ? ', everything published twice' : ''}`,
    '',
    `  sent            ${number(expected.sent)} messages`,
    `  counted once    ${number(found.counted)} events`,
    `  duplicates      ${number(duplicatesOf(told))}, without effect`,
    `  conflicts       ${number(found.conflicts)}: same identity, another content; the first counts, both are on record`,
    `  dead letters    ${refused.length === 0 ? 'none' : refused.map(([reason, count]) => `${reason} ${count}`).join(', ')}`,
    `  killed          once by SIGKILL after ${number(run.killedAt)} messages; another process went on`,
    `  throughput      ${number(Math.round(expected.sent / run.seconds))} messages/s from publishing to committed (${run.seconds.toFixed(1)} s, the kill included)`,
    `  cost            ${number(Math.round(expected.sent / run.cpuSeconds))} messages per CPU second of the pipeline, ${number(Math.round(run.residentBytes / 1e6))} MB resident`,
    `  freshness       p50 ${freshnessMs.p50} ms, p99 ${freshnessMs.p99} ms from publishing to readable, at 2,000 events/s`,
    '',
    ...usageTable(found.usage),
    '',
    `  drift check     ${found.drift.every(({ cells, warehouse }) => cells === warehouse) ? 'equal' : 'DIFFERENT'}: fingerprints of the cells and of the warehouse's events, by meter`,
    ...found.drift.map(
      ({ meter, cells, warehouse }) =>
        `    ${meter.padEnd(18)} ${cells} ${cells === warehouse ? '=' : '≠'} ${warehouse}`,
    ),
    '',
    `  data            ${options.directory} (database/, topic/, warehouse/); each run starts anew`,
    '',
    ok
      ? 'Every total equals the independent count.'
      : 'SOMETHING DIFFERS from the independent count: see above.',
    '',
  ].join('\n');
}

/** A row a customer, a column a meter; whatever differs is listed below. */
function usageTable(lines: readonly UsageLine[]): string[] {
  const meters = [...new Set(lines.map(({ meter }) => meter))];
  const bySubject = Map.groupBy(lines, ({ subject }) => subject);
  const rows = [...bySubject].map(([subject, own]) => [
    subject,
    ...meters.map((meter) => own.find((line) => line.meter === meter)?.cells ?? '-'),
  ]);
  const different = lines.filter(
    ({ expected, cells, warehouse }) => cells !== expected || warehouse !== expected,
  );
  return [
    '  usage by customer, from the cells:',
    '',
    ...aligned([['', ...meters], ...rows]),
    '',
    `  the warehouse   ${different.length === 0 ? `answers the same in all ${lines.length} cases, and so does the independent count` : 'or the independent count DIFFERS:'}`,
    ...different.map(
      ({ meter, subject, expected, cells, warehouse }) =>
        `    ${meter} of ${subject}: cells ${String(cells)}, warehouse ${String(warehouse)}, independently ${expected}`,
    ),
  ];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => `    ${row.map(pad).join('  ')}`);
}

/** The same for a program, as the contract states it. */
export function toJson(told: Told): object {
  const { run, expected, found, freshnessMs, ok } = told;
  return {
    ok,
    events: {
      sent: expected.sent,
      distinct: expected.distinct,
      counted: found.counted,
      duplicates: duplicatesOf(told),
      conflicts: found.conflicts,
      deadLetters: found.deadLetters,
    },
    usage: found.usage.map(({ meter, subject, cells }) => ({ meter, subject, value: cells })),
    quota: null,
    invoice: null,
    seconds: Number(run.seconds.toFixed(3)),
    eventsPerSecond: Math.round(expected.sent / run.seconds),
    freshnessMs,
  };
}
