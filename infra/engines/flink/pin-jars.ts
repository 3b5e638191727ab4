import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksumsOf, formatChecksums } from './jar-checksums.ts';
import { CHECKSUMS, EXPANSION, fetchJars, POM } from './flink-jars.ts';

/**
 * To be run by hand when a pom has changed: fetches the jars of both anew and writes their checksums beside them. What is new in those files is what
 * whoever reviews the change looks at.
 */
const LIMIT_MS = 1_200_000;

for (const source of [import.meta.dirname, join(import.meta.dirname, EXPANSION)]) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-flink-'));
  try {
    const deadline = performance.now() + LIMIT_MS;
    await fetchJars(join(source, POM), folder, { deadline, environment: process.env });
    const checksums = await checksumsOf(folder);
    await writeFile(join(source, CHECKSUMS), formatChecksums(checksums));
    process.stderr.write(`${source}: ${checksums.size} jars pinned\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
