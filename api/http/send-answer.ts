import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Response } from 'express';
import type { Answer, AnswerBody, AnswerHeaders } from './answer.ts';
import { problemDocument, type Problem } from './problem.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** What every answer says besides its own headers: written in one go with them, since one by one they cost more. */
const COMMON_HEADERS: AnswerHeaders = { ...SECURITY_HEADERS, 'Cache-Control': 'no-store' };
/** The same as names and values in turn, which are neither copied by name nor looked at again. */
const COMMON_LINES: readonly string[] = Object.entries(COMMON_HEADERS).flat();

/** The head of an answer on its way, which is not written yet. */
interface Head {
  readonly response: Response;
  readonly requestId: string;
  readonly status: number;
  readonly headers: AnswerHeaders;
}

/** Sends an answer. A stream waits for a slow reader, and ends without an error when the reader has gone. */
export function sendAnswer(
  response: Response,
  requestId: string,
  { status, headers, body }: Answer,
): Promise<void> | void {
  const head: Head = { response, requestId, status, headers };
  switch (body.kind) {
    case 'json':
      sendWhole(head, body.contentType ?? 'application/json; charset=utf-8', JSON.stringify(body.value));
      return;
    case 'text':
      sendWhole(head, body.contentType, body.text);
      return;
    case 'stream':
      return sendStream(head, body);
    case 'file':
      return sendFile(head, body.path);
    case 'bytes':
      sendWhole(head, body.contentType, body.bytes);
      return;
    case 'none':
      response.writeHead(status, headersOf(head)).end();
      return;
  }
}

const headersOf = ({ requestId, headers }: Head, own?: OutgoingHttpHeaders): OutgoingHttpHeaders => ({
  ...COMMON_HEADERS,
  'Request-Id': requestId,
  ...own,
  ...headers,
});

function sendWhole(head: Head, contentType: string, content: string | Uint8Array): void {
  const { response, requestId, status, headers } = head;
  const length = Buffer.byteLength(content);
  response.writeHead(
    status,
    // Headers of its own may stand in the place of common ones, so they are put together by name.
    isEmpty(headers)
      ? [...COMMON_LINES, 'Request-Id', requestId, 'Content-Type', contentType, 'Content-Length', `${length}`]
      : headersOf(head, { 'Content-Type': contentType, 'Content-Length': length }),
  );
  response.end(content);
}

function isEmpty(headers: AnswerHeaders): boolean {
  for (const _ in headers) return false;
  return true;
}

async function sendStream(
  head: Head,
  { contentType, chunks }: AnswerBody & { readonly kind: 'stream' },
): Promise<void> {
  const { response, status } = head;
  const reading = chunks[Symbol.asyncIterator]();
  try {
    // The first chunk comes before the headers: an error up to here is still answered as a problem.
    let next = await reading.next();
    response.writeHead(status, headersOf(head, { 'Content-Type': contentType }));
    while (next.done !== true && !response.destroyed) {
      if (!response.write(next.value)) await drained(response);
      next = await reading.next();
    }
    response.end();
  } finally {
    await reading.return?.();
  }
}

/** Express finds out type and length, and whether the client has the file already. */
function sendFile(head: Head, path: string): Promise<void> {
  const { response, status } = head;
  response.status(status).set(headersOf(head));
  return new Promise((resolve, reject) => {
    // Where the program is installed is not for the request to judge, and parts of a file are no answer that is documented.
    response.sendFile(path, { dotfiles: 'allow', acceptRanges: false }, (error?: Error) => {
      // A reader that has gone is no error.
      if (error === undefined || response.destroyed) resolve();
      else reject(error);
    });
  });
}

/** Resolves when more can be written, or when nobody reads any more. */
async function drained(response: Response): Promise<void> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  response.once('close', onClose);
  try {
    await once(response, 'drain', { signal: gone.signal });
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    response.off('close', onClose);
  }
}

export function sendProblem(response: Response, requestId: string, problem: Problem): void {
  // Too late to say anything: the reader must see that the answer is cut.
  if (response.headersSent) return void response.destroy();
  const { status, headers } = problem;
  const document = JSON.stringify(problemDocument(problem));
  sendWhole({ response, requestId, status, headers }, 'application/problem+json', document);
}
