import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import type { Instant } from '#domain/instant.ts';
import { FORMAT_VERSION, noLines, type LineKind } from '#infra/transfer/format.ts';

export const HEADER = {
  kind: 'header',
  format: 'millrace-export',
  version: FORMAT_VERSION,
  namespace: 'default',
  exportedAt: '2026-03-01T00:00:00Z',
  asOf: null,
};

export const METER = {
  kind: 'meter',
  key: 'calls',
  version: 1,
  generation: 1,
  state: 'active',
  since: 1,
  until: null,
  definition: { name: 'Calls', eventType: 'call', aggregation: 'count' },
};

export const eventText = (id: string, time: Instant, catalogueVersion = 1): string =>
  `{"kind":"event","publishedAt":"${formatInstant(time)}","catalogueVersion":${catalogueVersion},"event":` +
  `{"specversion":"1.0","id":"${id}","source":"s","type":"call","subject":"acme","time":"${formatInstant(time)}","data":null}}`;

/** The text of a file with these lines between header and trailer, as an export would have written it. */
export function fileText(lines: readonly (object | string)[], header: object = HEADER): string {
  const counts = noLines();
  const texts = [header, ...lines].map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  for (const text of texts.slice(1)) {
    const kind = /^\{"kind":"(\w+)"/.exec(text)?.[1] as LineKind | undefined;
    if (kind !== undefined && kind in counts) counts[kind]++;
  }
  const body = texts.map((text) => `${text}\n`).join('');
  const digest = createHash('sha256').update(body).digest('hex');
  return `${body}${JSON.stringify({ kind: 'trailer', lines: counts, digest })}\n`;
}

export async function writtenFile(directory: string, text: string | Uint8Array): Promise<string> {
  const path = join(directory, 'file.jsonl');
  await writeFile(path, text);
  return path;
}
