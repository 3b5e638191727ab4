import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { readCatalogueFile, type CatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import { lastBillableMidnight, monthUntil } from './billing-month.ts';
import { readChargesFile } from './charges-file.ts';
import { plannedEvent, type DataSet, type Fact } from './data-set.ts';
import { readSellerFile } from './seller-file.ts';

const COLUMNS = ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'] as const;
const TIMESTAMP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/;

/**
 * A CSV of real usage, each row an event, its times moved so that the last one is just before the last midnight that can be billed by now.
 * For example the Azure LLM inference traces 2023 (Microsoft, CC-BY 4.0). Its one customer has a hard limit a little above what it uses.
 */
export async function traceOfUsage(file: string, now: number): Promise<DataSet> {
  const catalogue = await readCatalogueFile(new URL('trace-catalogue.json', import.meta.url));
  const rows = parseRows(file, await readFile(file, 'utf8'));
  const end = lastBillableMidnight(now);
  const times = rows.map(({ time }) => time);
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  if (last - first > TRACE_MS_MAX)
    throw new Error(`${file} spans more than ${TRACE_MS_MAX / DAY_MS} days, and the demo bills one month`);
  const shift = end - 1 - last;
  const subject = basename(file).replace(/\.csv$/i, '');
  const facts = rows.map(({ time, contextTokens, generatedTokens }, index): Fact => ({
    source: 'urn:trace',
    id: `${subject}-${index + 1}`,
    type: 'llm.inference',
    subject,
    time: new Date(time + shift).toISOString(),
    data: { contextTokens, generatedTokens },
  }));
  return {
    title: `the trace ${basename(file)}`,
    catalogue: { ...catalogue, customers: { [subject]: customerWithLimit(subject, rows) } },
    charges: await readChargesFile(new URL('trace-charges.json', import.meta.url)),
    seller: await readSellerFile(new URL('seller.json', import.meta.url)),
    month: monthUntil(end),
    storyLimit: { customer: subject, feature: LIMITED_FEATURE },
    planned: facts.map(plannedEvent),
    from: new Date(first + shift - 60_000).toISOString(),
    to: new Date(end).toISOString(),
  };
}

const DAY_MS = 86_400_000;
/** With the day in which it is sent it lies in one month, that of billing and that of limits, however short they are. */
const TRACE_MS_MAX = 26 * DAY_MS;

const LIMITED_FEATURE = 'context-tokens';
/** The limit lies a twentieth above what is used, and leaves room for some reservations of the largest request. */
const ROOM_DIVISOR = 20;
const ROOM_REQUESTS = 10;

function customerWithLimit(subject: string, rows: readonly TraceRow[]): CatalogueFile['customers'][string] {
  const tokens = rows.map(({ contextTokens }) => contextTokens);
  const used = tokens.reduce((sum, each) => sum + each, 0);
  const largest = tokens.reduce((max, each) => Math.max(max, each), 0);
  const amount = roundUp(used + Math.ceil(used / ROOM_DIVISOR) + ROOM_REQUESTS * largest);
  const limit = {
    key: 'monthly',
    amount: String(amount),
    period: { every: 'P1M' },
    overage: 'hard' as const,
  };
  return { name: subject, subjects: [subject], limits: { [LIMITED_FEATURE]: [limit] } };
}

/** To two digits that say something: 19,133,012 -> 20,000,000. */
function roundUp(value: number): number {
  const magnitude = 10 ** Math.max(0, String(value).length - 2);
  return Math.ceil(value / magnitude) * magnitude;
}

interface TraceRow {
  readonly time: number;
  readonly contextTokens: number;
  readonly generatedTokens: number;
}

function parseRows(file: string, text: string): TraceRow[] {
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = header.split(',');
  const places = COLUMNS.map((name) => names.indexOf(name));
  if (places.includes(-1)) throw new Error(`${file} needs the columns ${COLUMNS.join(', ')}`);
  if (lines.length === 0) throw new Error(`${file} has no rows`);
  return lines.map((line, index) => {
    const cells = line.split(',');
    const [timestamp = '', context = '', generated = ''] = places.map((place) => cells[place]);
    const [, day, clock] = TIMESTAMP.exec(timestamp) ?? [];
    const row = {
      time: Date.parse(`${day}T${clock}Z`),
      contextTokens: Number(context),
      generatedTokens: Number(generated),
    };
    if (![row.time, row.contextTokens, row.generatedTokens].every(Number.isFinite)) {
      throw new Error(`${file}, row ${index + 2}: not a time and two numbers: ${line}`);
    }
    return row;
  });
}
