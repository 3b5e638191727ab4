import { readFile } from 'node:fs/promises';
import { stepsOf } from './guide.ts';
import { fetchAsCurl, hasCurl, runCurl } from './run-curl.ts';
import { takeTour } from './take-tour.ts';
import { tourServer } from './tour-server.ts';

/**
 * `npm run tour`: runs the commands of a guide, checks every answer and tells the story. `npm run tour -- billing` takes another guide than that
 * of the tour. Exit code 1 when an answer is not what the guide shows.
 */
const [name = 'tour'] = process.argv.slice(2);
const guide = new URL(`../../docs/guides/${encodeURIComponent(name)}.md`, import.meta.url);

const steps = stepsOf(await readFile(guide, 'utf8'));
const answers = steps.filter(({ kind }) => kind !== 'setting').length;
const server = await tourServer(process.env);
try {
  const run = (await hasCurl()) ? runCurl : fetchAsCurl;
  const variables = { MILLRACE_URL: server.url, MILLRACE_KEY: server.key };
  const failed = await takeTour(steps, { run, variables, teller: console });
  if (failed > 0) process.exitCode = 1;
  console.log(
    failed === 0 ? `All ${answers} answers are as the guide shows them.` : `${failed} answers differ.`,
  );
} finally {
  await server.stop();
}
