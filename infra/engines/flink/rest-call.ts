import type { z } from 'zod';

/** Flink has answered with an error. */
export class FlinkRefused extends Error {
  override readonly name = 'FlinkRefused';
  readonly status: number;
  constructor(what: string, status: number, answer: string) {
    super(`${what}: Flink answered ${status}: ${answer.slice(0, SHOWN_CHARACTERS)}`);
    this.status = status;
  }
}

/** Nothing answers there, or not in time, or what answers is not the Flink that we know. */
export class FlinkUnreachable extends Error {
  override readonly name = 'FlinkUnreachable';
  /** Whether nothing listens there any more, so that it has ended. */
  readonly hasGone: boolean;
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.hasGone = cause instanceof Error && 'code' in cause && GONE_CODES.has(String(cause.code));
  }
}

const GONE_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET']);

const SHOWN_CHARACTERS = 600;
const ANSWER_MS_MAX = 10_000;
/** The exceptions of a job with hundreds of tasks come to some 100 KB. */
const ANSWER_BYTES_MAX = 8_000_000;

export interface RestRequest<Answer> {
  readonly method?: 'GET' | 'POST' | 'PATCH';
  /** Below the address, with a slash. */
  readonly path: string;
  readonly body?: unknown;
  readonly answer: z.ZodType<Answer>;
}

/** One call. `address` is a URL without a slash at its end. Throws `FlinkRefused` and `FlinkUnreachable`. */
export async function callRest<Answer>(address: string, request: RestRequest<Answer>): Promise<Answer> {
  const { method = 'GET', path, body, answer } = request;
  const what = `${method} ${address}${path}`;
  const { status, text } = await exchange(what, `${address}${path}`, {
    method,
    // A cluster tells no secrets to where somebody else sends us.
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  if (status < 200 || status > 299) throw new FlinkRefused(what, status, text);
  const parsed = answer.safeParse(json(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FlinkUnreachable(
    `${what}: not what Flink answers: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`,
  );
}

async function exchange(
  what: string,
  url: string,
  request: RequestInit,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, request);
    return { status: response.status, text: await boundedText(response) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new FlinkUnreachable(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

async function boundedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function json(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    return undefined;
  }
}
