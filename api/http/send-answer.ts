import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Response } from 'express';
import { JSON_CONTENT_TYPE, type Answer, type AnswerBody, type AnswerHeaders } from './answer.ts';
import { problemDocument, type Problem } from './problem.ts';
import { DOCUMENT_HEADERS, PAGE_HEADERS } from './security-headers.ts';

/** What answers of one kind say besides their own headers: written in one go with them, since one by one they cost more. */
interface CommonHeaders {
  readonly byName: AnswerHeaders;
  /** The same as names and values in turn, which are neither copied by name nor looked at again. */
  readonly lines: readonly string[];
}

function commonHeaders(security: AnswerHeaders): CommonHeaders {
  const byName = { ...security, 'Cache-Control': 'no-store' };
  return { byName, lines: Object.entries(byName).flat() };
}

const OF_DOCUMENTS = commonHeaders(DOCUMENT_HEADERS);
const OF_PAGES = commonHeaders(PAGE_HEADERS);

/** The head of an answer on its way, which is not written yet. */
interface Head {
  readonly response: Response;
  readonly requestId: string;
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly common: CommonHeaders;
}

/** Sends an answer. A stream waits for a slow reader, and ends without an error when the reader has gone. */
export function sendAnswer(
  response: Response,
  requestId: string,
  { status, headers, body }: Answer,
): Promise<void> | void {
  const common = isJson(body) ? OF_DOCUMENTS : OF_PAGES;
  const head: Head = { response, requestId, status, headers, common };
  switch (body.kind) {
    case 'json':
      sendWhole(head, body.contentType ?? JSON_CONTENT_TYPE, JSON.stringify(body.value));
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

const isJson = (body: AnswerBody): boolean =>
  body.kind === 'json' || (body.kind === 'bytes' && body.contentType === JSON_CONTENT_TYPE);

const headersOf = ({ requestId, headers, common }: Head, own?: OutgoingHttpHeaders): OutgoingHttpHeaders => ({
  ...common.byName,
  'Request-Id': requestId,
  ...own,
  ...headers,
});

function sendWhole(head: Head, contentType: string, content: string | Uint8Array): void {
  const { response, requestId, status, headers, common } = head;
  const length = Buffer.byteLength(content);
  response.writeHead(
    status,
    // Headers of its own may stand in the place of common ones, so they are put together by name.
    isEmpty(headers)
      ? [...common.lines, 'Request-Id', requestId, 'Content-Type', contentType, 'Content-Length', `${length}`]
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
  const head: Head = { response, requestId, status, headers, common: OF_DOCUMENTS };
  sendWhole(head, 'application/problem+json', document);
}
