import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The types that configurations declare or read. */
export interface UsedTypes {
  readonly resources: readonly string[];
  readonly dataSources: readonly string[];
}

/** Finds them in all `.tf` files below a folder: the schema has these and no others. */
export function usedTypes(folder: string): UsedTypes {
  const text = terraformFiles(folder)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  return { resources: declared(text, 'resource'), dataSources: declared(text, 'data') };
}

export function terraformFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.tf'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function declared(text: string, keyword: 'resource' | 'data'): string[] {
  const found = text.matchAll(new RegExp(`^\\s*${keyword} "(google_\\w+)"`, 'gm'));
  return [...new Set([...found].map(([, type = '']) => type))].sort();
}
