import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 in hexadecimal by file name. */
export type Checksums = ReadonlyMap<string, string>;

const LINE = /^([0-9a-f]{64}) [ *]([\w.+-]+\.jar)$/;

/** Reads lines as `sha256sum` writes them. Throws an error that names a line of another form, or a jar that has two. */
export function parseChecksums(text: string): Checksums {
  const checksums = new Map<string, string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, sum, name] = LINE.exec(line) ?? [];
    if (sum === undefined || name === undefined) throw new Error(`no checksum of a jar: ${line}`);
    if (checksums.has(name)) throw new Error(`two checksums of one jar: ${name}`);
    checksums.set(name, sum);
  }
  return checksums;
}

/** Lines that `parseChecksums` and `sha256sum --check` read, sorted by name. */
export const formatChecksums = (checksums: Checksums): string =>
  [...checksums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, sum]) => `${sum}  ${name}\n`)
    .join('');

/** Of every file of the folder. */
export async function checksumsOf(folder: string): Promise<Checksums> {
  const checksums = new Map<string, string>();
  // One after the other: reading is not what takes the time, and a hundred open files are too many.
  for (const name of await readdir(folder)) checksums.set(name, await sha256Of(join(folder, name)));
  return checksums;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** What of the found is missing, is too much, or has other bytes: one phrase for each, none when all is as expected. */
export function differences(expected: Checksums, found: Checksums): readonly string[] {
  const missing = [...expected.keys()].filter((name) => !found.has(name)).map((name) => `${name} is missing`);
  const other = [...found].flatMap(([name, sum]) => {
    if (!expected.has(name)) return [`${name} does not belong there`];
    return expected.get(name) === sum ? [] : [`${name} has other bytes`];
  });
  return [...missing, ...other];
}
