import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checksumsOf, formatChecksums } from './jar-checksums.ts';
import { CHECKSUMS, fetchJars, POM } from './flink-jars.ts';

/**
 * To be run by hand when the pom has changed: fetches its jars anew and writes their checksums beside it. What is new in that file is what whoever
 * reviews the change looks at.
 */
const LIMIT_MS = 1_200_000;

const folder = await mkdtemp(join(tmpdir(), 'millrace-flink-'));
try {
  const deadline = performance.now() + LIMIT_MS;
  await fetchJars(join(import.meta.dirname, POM), folder, { deadline, environment: process.env });
  const checksums = await checksumsOf(folder);
  await writeFile(join(import.meta.dirname, CHECKSUMS), formatChecksums(checksums));
  process.stderr.write(`flink: ${checksums.size} jars pinned\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
