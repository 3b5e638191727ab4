import type { DataSet } from './data-set.ts';
import { sumOf, type Counts } from './expected.ts';
import { isEqualLine, type Checked, type UsageLine } from './check.ts';
import type { EventAnswers } from './event-requests.ts';
import type { DemoBacking } from './backing.ts';
import type { FreshnessMillis } from './freshness.ts';
import type { CheckedInvoices } from './invoice-check.ts';
import type { DemoOptions } from './options.ts';
import type { ReservationStory } from './reservation-story.ts';
import type { Run } from './run.ts';
import type { CheckLatencies } from './steady-checks.ts';
import { aligned, grouped } from './table.ts';
import { invoicesToJson, tellDifferences, tellInvoices } from './tell-invoices.ts';
import { tellQuotas } from './tell-quotas.ts';

export interface Told extends Checked {
  readonly options: DemoOptions;
  readonly dataSet: DataSet;
  readonly backing: Pick<DemoBacking, 'name' | 'data' | 'scale'>;
  readonly run: Run;
  readonly answers: EventAnswers;
  readonly reservations: ReservationStory;
  readonly freshnessMs: FreshnessMillis;
  /** Of the checks beside the events that freshness was measured with. */
  readonly steadyChecks: CheckLatencies;
  readonly invoices: CheckedInvoices;
}

const duplicatesOf = ({ expected, found }: Told): number =>
  expected.sent - found.counted - found.conflicts - sumOf(found.deadLetters);

/** Of a made-up day only a part is sent to emulators; a trace is sent whole. */
function onEmulators({ options, backing }: Told): string {
  if (backing.name !== 'gcp') return '';
  return options.trace === undefined
    ? `, on emulators and therefore ${grouped(backing.scale.events)} events of it`
    : ', on emulators';
}

/** The demo's result for a person. */
export function tell(told: Told): string {
  const { options, dataSet, found, invoices, ok } = told;
  return [
    '',
    `Millrace demo: ${dataSet.title}${options.twice ? ', every event sent twice' : ''}${onEmulators(told)}`,
    '',
    ...tellMessages(told),
    ...tellSpeed(told),
    '',
    ...usageTable(found.usage),
    '',
    ...tellQuotas(told),
    '',
    `  drift check     ${found.drift.every(({ cells, warehouse }) => cells === warehouse) ? 'equal' : 'DIFFERENT'}: fingerprints of the cells and of the warehouse's events, by meter`,
    ...found.drift.map(
      ({ meter, cells, warehouse }) =>
        `    ${meter.padEnd(18)} ${cells} ${cells === warehouse ? '=' : '≠'} ${warehouse}`,
    ),
    '',
    ...tellInvoices(invoices),
    ...found.bills.flatMap(({ customer, different }) =>
      tellDifferences(`${customer}, charges evaluated`, different),
    ),
    '',
    `  data            ${told.backing.data}; each run starts anew`,
    '',
    ok
      ? 'Every total and every invoice equals the independent count.'
      : 'SOMETHING DIFFERS from the independent count: see above.',
    '',
  ].join('\n');
}

/** Where every message went. What came out otherwise than it was counted independently is said beside it. */
function tellMessages(told: Told): string[] {
  const { expected, found, answers } = told;
  const { batch, single, binary } = answers.requests;
  const line = (label: string, text: string, isRight = true): string =>
    `  ${label.padEnd(16)}${text}${isRight ? '' : '  DIFFERS'}`;
  return [
    line('sent', `${grouped(expected.sent)} messages`),
    line(
      '  over HTTP',
      `${grouped(answers.accepted)}: ${batch === 1 ? 'a batch' : `${batch} batches (some of them gzip)`}, ${single} single events, ${binary} in binary mode`,
      answers.accepted === expected.sentOverHttp,
    ),
    line(
      '  to the topic',
      `${grouped(expected.sent - expected.sentOverHttp)}, published by the producer itself`,
    ),
    line('counted once', `${grouped(found.counted)} events`, found.counted === expected.distinct),
    line('duplicates', `${grouped(duplicatesOf(told))}, without effect, whichever way each copy came`),
    line(
      'conflicts',
      `${grouped(found.conflicts)}: same identity, another content; the first counts, both are on record`,
      found.conflicts === expected.conflicts,
    ),
    line('dead letters', beside(found.deadLetters, expected.deadLetters)),
    line(
      'rejected',
      beside(answers.rejected, expected.rejected, ' by the API at once, not among those sent'),
    ),
  ];
}

/** `3: too_old 1, malformed_json 2`, and what was expected wherever it is something else. */
function beside(found: Counts, expected: Counts, where = ''): string {
  const reasons = [...new Set([...Object.keys(found), ...Object.keys(expected)])].sort();
  if (reasons.length === 0) return 'none';
  const counts = reasons.map((reason) => {
    const [is, should] = [found[reason] ?? 0, expected[reason] ?? 0];
    return `${reason} ${is}${is === should ? '' : ` (DIFFERS: ${should})`}`;
  });
  return `${grouped(sumOf(found))}${where}: ${counts.join(', ')}`;
}

function tellSpeed({ run, freshnessMs, steadyChecks, backing }: Told): string[] {
  const { checks } = run;
  const engine = run.pipeline.engine();
  const { checksPerSecond, steadyLoad } = backing.scale;
  return [
    ...(engine === undefined ? [] : [`  engine          ${engine}`]),
    `  killed          ${run.killed} after ${grouped(run.killedAt)} messages; ${run.recovered}, ${run.recoverySeconds.toFixed(1)} s later`,
    `  throughput      ${grouped(Math.round(run.messages / run.seconds))} messages/s from sending to committed (${run.seconds.toFixed(1)} s, the kill included)`,
    ...tellCost(run),
    `  quota checks    ${grouped(checks.checks)} over HTTP meanwhile, ${checksPerSecond} a second, all answered: p50 ${checks.p50} ms, p99 ${checks.p99} ms`,
    `  steady load     at ${grouped(steadyLoad.eventsPerSecond)} events/s an event is readable p50 ${freshnessMs.p50} ms, p99 ${freshnessMs.p99} ms after it was published; checks p50 ${steadyChecks.p50} ms, p99 ${steadyChecks.p99} ms`,
  ];
}

const tellCost = ({ messages, cost }: Run): string[] =>
  cost === undefined
    ? []
    : [
        `  cost            ${grouped(Math.round(messages / cost.cpuSeconds))} messages per CPU second of the pipeline, ${grouped(Math.round(cost.residentBytes / 1e6))} MB resident`,
      ];

/** A row a subject, a column a meter; whatever differs is listed below. */
function usageTable(lines: readonly UsageLine[]): string[] {
  const meters = [...new Set(lines.map(({ meter }) => meter))];
  const bySubject = Map.groupBy(lines, ({ subject }) => subject);
  const rows = [...bySubject].map(([subject, own]) => [
    subject,
    ...meters.map((meter) => own.find((line) => line.meter === meter)?.cells ?? '-'),
  ]);
  const different = lines.filter((line) => !isEqualLine(line));
  return [
    '  usage by subject, from the cells:',
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

/** The same for a program. `sent` is what was taken: what the API rejects is beside it. */
export function toJson(told: Told): object {
  const { run, expected, found, answers, reservations, invoices, freshnessMs, steadyChecks, ok } = told;
  const { customer, feature, limit, before, after, refused } = reservations;
  return {
    ok,
    events: {
      sent: expected.sent,
      sentOverHttp: answers.accepted,
      distinct: expected.distinct,
      counted: found.counted,
      duplicates: duplicatesOf(told),
      conflicts: found.conflicts,
      deadLetters: found.deadLetters,
      rejected: answers.rejected,
    },
    usage: found.usage.map(({ meter, subject, cells }) => ({ meter, subject, value: cells })),
    quota: {
      customer,
      feature,
      limit,
      before,
      after,
      refused,
    },
    ...invoicesToJson(invoices),
    killed: { messages: run.killedAt, recoverySeconds: Number(run.recoverySeconds.toFixed(3)) },
    seconds: Number(run.seconds.toFixed(3)),
    eventsPerSecond: Math.round(run.messages / run.seconds),
    freshnessMs,
    checksMs: { p50: steadyChecks.p50, p99: steadyChecks.p99 },
  };
}
