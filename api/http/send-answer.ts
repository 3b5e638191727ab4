import { once } from 'node:events';
import type { Response } from 'express';
import type { Answer, AnswerBody } from './answer.ts';
import { problemDocument, type Problem } from './problem.ts';

/** Sends an answer. A stream waits for a slow reader, and ends without an error when the reader has gone. */
export async function sendAnswer(response: Response, { status, headers, body }: Answer): Promise<void> {
  response.status(status);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  await sendBody(response, body);
}

async function sendBody(response: Response, body: AnswerBody): Promise<void> {
  switch (body.kind) {
    case 'json':
      sendText(response, body.contentType ?? 'application/json; charset=utf-8', JSON.stringify(body.value));
      return;
    case 'text':
      sendText(response, body.contentType, body.text);
      return;
    case 'stream':
      await sendStream(response, body);
      return;
    case 'file':
      // Where the program is installed is not for the request to judge, and parts of a file are no answer that is documented.
      response.sendFile(body.path, { dotfiles: 'allow', acceptRanges: false });
      return;
    case 'none':
      response.end();
      return;
  }
}

function sendText(response: Response, contentType: string, text: string): void {
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

async function sendStream(
  response: Response,
  { contentType, chunks }: AnswerBody & { readonly kind: 'stream' },
): Promise<void> {
  const reading = chunks[Symbol.asyncIterator]();
  try {
    // The first chunk comes before the headers: an error up to here is still answered as a problem.
    let next = await reading.next();
    response.setHeader('Content-Type', contentType);
    while (next.done !== true && !response.destroyed) {
      if (!response.write(next.value)) await drained(response);
      next = await reading.next();
    }
    response.end();
  } finally {
    await reading.return?.();
  }
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

export function sendProblem(response: Response, problem: Problem): void {
  // Too late to say anything: the reader must see that the answer is cut.
  if (response.headersSent) return void response.destroy();
  response.status(problem.status);
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
  sendText(response, 'application/problem+json', JSON.stringify(problemDocument(problem)));
}
