import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { readCatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import { plannedEvent, type DataSet, type Fact } from './data-set.ts';

const COLUMNS = ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'] as const;
const TIMESTAMP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/;

/**
 * A CSV of real usage, each row an event, its times moved so that the last one is now. For example the Azure LLM inference traces 2023
 * (Microsoft, CC-BY 4.0).
 */
export async function traceOfUsage(file: string, now: number): Promise<DataSet> {
  const meters = await readCatalogueFile(new URL('trace-catalogue.json', import.meta.url));
  const rows = parseRows(file, await readFile(file, 'utf8'));
  const shift = now - Math.max(...rows.map(({ time }) => time));
  const subject = basename(file).replace(/\.csv$/i, '');
  const facts = rows.map(({ time, contextTokens, generatedTokens }, index): Fact => ({
    source: 'urn:trace',
    id: `${subject}-${index + 1}`,
    type: 'llm.inference',
    subject,
    time: new Date(time + shift).toISOString(),
    data: { contextTokens, generatedTokens },
  }));
  const first = Math.min(...rows.map(({ time }) => time)) + shift;
  const [from, to] = [new Date(first - 60_000).toISOString(), new Date(now + 60_000).toISOString()];
  return { title: `the trace ${basename(file)}`, meters, planned: facts.map(plannedEvent), from, to };
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
