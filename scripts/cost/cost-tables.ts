import {
  eventsPerMonth,
  monthlyCost,
  spannerNodes,
  sumOf,
  workerInstances,
  type CostItem,
} from './monthly-cost.ts';
import { PRICES, PRICES_AS_OF } from './prices.ts';
import { NODE, PLATFORM, WORKLOAD, type Workload } from './workload.ts';

const RATES = [1_000, 10_000, 100_000];
const MILLION = 1_000_000;
const PARTS = ['Pub/Sub', 'Workers', 'Spanner', 'BigQuery', 'Archive'] as const satisfies CostItem['part'][];

const BEGIN = '<!-- made by npm run generate -->';
const END = '<!-- end -->';

/** The page with its tables made again; each stands between two marks, and the text around them stays. */
export function withCostTables(page: string): string {
  const tables = [totals(), parts(), variants(), priceList(), workloadList()];
  const pieces = page.split(BEGIN);
  if (pieces.length !== tables.length + 1)
    throw new Error(`docs/cost.md has not ${tables.length} marks for tables`);
  return pieces
    .map((piece, at) =>
      at === 0 ? piece : `${BEGIN}\n\n${tables[at - 1] ?? ''}\n\n${piece.slice(piece.indexOf(END))}`,
    )
    .join('');
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const dollars = (value: number): string => `$${whole(value)}`;
const perMillion = (value: number, eventsPerSecond: number): string =>
  `$${((value / eventsPerMonth(eventsPerSecond)) * MILLION).toFixed(3)}`;

function totals(): string {
  const rows = RATES.map((rate) => {
    const sum = sumOf(monthlyCost(rate, WORKLOAD));
    return [
      whole(rate),
      whole(eventsPerMonth(rate) / MILLION),
      dollars(sum),
      `**${perMillion(sum, rate)}**`,
      String(spannerNodes(rate, WORKLOAD)),
      String(workerInstances(rate, WORKLOAD)),
    ];
  });
  const head = ['events a second', 'millions a month', 'a month', 'a million', 'Spanner nodes', 'workers'];
  return table(head, rows);
}

function parts(): string {
  const perRate = RATES.map((rate) => monthlyCost(rate, WORKLOAD));
  const head = ['of a million events', ...RATES.map((rate) => `at ${whole(rate)}/s`), 'share at 10,000/s'];
  const share = (value: number): string => `${whole((value / sumOf(perRate[1] ?? [])) * 100)} %`;
  const row = (name: string, pick: (item: CostItem) => boolean): string[] => {
    const sums = perRate.map((items) => sumOf(items.filter(pick)));
    return [name, ...sums.map((sum, at) => perMillion(sum, RATES[at] ?? 1)), share(sums[1] ?? 0)];
  };
  const rows = PARTS.flatMap((part) => [
    row(`**${part}**`, (item) => item.part === part),
    ...(perRate[0] ?? [])
      .filter((item) => item.part === part)
      .map(({ what }) => row(what, (item) => item.part === part && item.what === what)),
  ]);
  return table(head, rows);
}

/** What the sum depends on most, one change at a time. */
function variants(): string {
  const variant = (name: string, change: Partial<Workload>): string[] => [
    name,
    ...RATES.map((rate) => perMillion(sumOf(monthlyCost(rate, { ...WORKLOAD, ...change })), rate)),
  ];
  return table(
    ['', ...RATES.map((rate) => `at ${whole(rate)}/s`)],
    [
      variant('as above', {}),
      variant('1,000 subjects: 1.66 rows an event', { rowsPerEvent: 1.66, newCellsPerEvent: 0.000_56 }),
      variant('10 subjects: 1.01 rows an event', { rowsPerEvent: 1.01, newCellsPerEvent: 0.000_006 }),
      variant('five meters for each event, nothing folds: 6 rows', {
        rowsPerEvent: 6,
        readsPerEvent: 6,
        newCellsPerEvent: 5 / 36,
      }),
      variant('messages of 1,000 bytes', { messageBytes: 1_000, appendedBytes: 1_200, warehouseBytes: 200 }),
      variant('workers that take half as much', { eventsPerCpuSecond: WORKLOAD.eventsPerCpuSecond / 2 }),
    ],
  );
}

const priceList = (): string =>
  table(
    [`price, ${PRICES_AS_OF}`, 'US dollars', 'for a'],
    Object.values(PRICES).map(({ of, dollars: amount, per }) => [of, String(amount), per]),
  );

function workloadList(): string {
  const rows: [string, string | number][] = [
    ['rows written, and read, per event', `${WORKLOAD.rowsPerEvent}, ${WORKLOAD.readsPerEvent}`],
    ['new hour cells per event', WORKLOAD.newCellsPerEvent.toFixed(3)],
    [
      'bytes of a message; of a row as appended, as stored',
      `${WORKLOAD.messageBytes}; ${WORKLOAD.appendedBytes}, ${WORKLOAD.warehouseBytes}`,
    ],
    ["bytes of an event's row, of an hour cell", `${WORKLOAD.eventRowBytes}, ${WORKLOAD.cellBytes}`],
    [
      'events a second and worker CPU, part of the CPU that is used',
      `${whole(WORKLOAD.eventsPerCpuSecond)}, ${WORKLOAD.workerUse}`,
    ],
    [
      'rows a second that a node writes, reads',
      `${whole(NODE.writesPerSecond)}, ${whole(NODE.readsPerSecond)}`,
    ],
    [
      'days that rows of events, hour cells, topics and the archive are kept',
      `${PLATFORM.eventRowDays}, ${PLATFORM.cellDays}, ${PLATFORM.topicDays}, ${PLATFORM.archiveDays}`,
    ],
    [
      'months of the warehouse, copies of the database as backups',
      `${PLATFORM.warehouseMonths}, ${PLATFORM.backupCopies}`,
    ],
  ];
  return table(
    ['assumption', ''],
    rows.map(([name, value]) => [name, String(value)]),
  );
}
