import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readCurl } from './read-curl.ts';

export interface CurlAnswer {
  readonly status: number;
  readonly text: string;
}

const run = promisify(execFile);
const ANSWER_BYTES_MAX = 16 * 1_024 * 1_024;

/** Whether this machine can run the commands just as they stand. */
export const hasCurl = (): Promise<boolean> =>
  run('sh', ['-c', 'command -v curl']).then(
    () => true,
    () => false,
  );

/** Runs a command by the shell, as a reader would who pastes it; its variables are those given, beside the path. */
export async function runCurl(
  command: string,
  variables: Readonly<Record<string, string>>,
): Promise<CurlAnswer> {
  // On a line of its own, so that it can be told from whatever the answer ends with.
  const { stdout } = await run('sh', ['-c', `${command} -w '\\n%{http_code}'`], {
    env: { PATH: process.env['PATH'] ?? '', ...variables },
    maxBuffer: ANSWER_BYTES_MAX,
  });
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
}

/** Where there is no curl: the same request by other means. */
export async function fetchAsCurl(
  command: string,
  variables: Readonly<Record<string, string>>,
): Promise<CurlAnswer> {
  const { url, ...request } = readCurl(command, variables);
  const answer = await fetch(url, request);
  return { status: answer.status, text: await answer.text() };
}
