import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Body } from './body.ts';

/** Reads the bytes of a body, inflated, up to its limit, into `request.body`. Rejects with what the HTTP layer says of one that cannot be read. */
export type ReadBody = (body: Body, request: Request, response: Response) => Promise<void>;

export function createBodyReader(): ReadBody {
  const readers = new Map<number, RequestHandler>();
  return ({ bytesMax }, request, response) => {
    let read = readers.get(bytesMax);
    if (read === undefined)
      readers.set(bytesMax, (read = express.raw({ type: () => true, limit: bytesMax, inflate: true })));
    const reader = read;
    return new Promise((resolve, reject) => {
      reader(request, response, (error?: unknown) => {
        if (error === undefined) resolve();
        else reject(error instanceof Error ? error : new Error('the body cannot be read', { cause: error }));
      });
    });
  };
}
