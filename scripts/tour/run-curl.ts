import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Runs a command by the shell, as a reader would who pastes it; its variables are those given, beside the path. What it writes to a file is read. */
export async function runCurl(
  command: string,
  variables: Readonly<Record<string, string>>,
): Promise<CurlAnswer> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-curl-'));
  try {
    // On a line of its own, so that it can be told from whatever the answer ends with.
    const { stdout } = await run('sh', ['-c', `${command} -w '\\n%{http_code}'`], {
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '', ...variables },
      maxBuffer: ANSWER_BYTES_MAX,
    });
    const end = stdout.lastIndexOf('\n');
    const { file } = readCurl(command, variables);
    const text = file === undefined ? stdout.slice(0, end) : await readFile(join(directory, file), 'latin1');
    return { status: Number(stdout.slice(end + 1)), text };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Where there is no curl: the same request by other means. */
export async function fetchAsCurl(
  command: string,
  variables: Readonly<Record<string, string>>,
): Promise<CurlAnswer> {
  const { url, file: _, ...request } = readCurl(command, variables);
  const answer = await fetch(url, request);
  return { status: answer.status, text: await answer.text() };
}
