import { readFile } from 'node:fs/promises';
import { stepsOf } from './guide.ts';
import { fetchAsCurl, hasCurl, runCurl } from './run-curl.ts';
import { takeTour } from './take-tour.ts';
import { tourServer } from './tour-server.ts';

/**
 * `npm run tour`: runs the commands of the guide, checks every answer and tells the story. Exit code 1 when an answer is not what the guide
 * shows.
 */
const GUIDE = new URL('../../docs/guides/tour.md', import.meta.url);

const steps = stepsOf(await readFile(GUIDE, 'utf8'));
const server = await tourServer(process.env);
try {
  const curl = (await hasCurl()) ? runCurl : fetchAsCurl;
  const variables = { MILLRACE_URL: server.url, MILLRACE_KEY: server.key };
  const failed = await takeTour(steps, (command) => curl(command, variables), console);
  if (failed > 0) process.exitCode = 1;
  console.log(
    failed === 0 ? `All ${steps.length} answers are as the guide shows them.` : `${failed} answers differ.`,
  );
} finally {
  await server.stop();
}
