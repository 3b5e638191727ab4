import { randomUUID } from 'node:crypto';
import { eventually } from '#test/support/eventually.ts';

export interface IngestClients {
  /** The ids of the events that were answered 202. */
  readonly accepted: ReadonlySet<string>;
  /** Every id that was sent, whatever became of it. */
  readonly sent: ReadonlySet<string>;
  /** Resolves once so many more events were answered 202. */
  more(events: number): Promise<void>;
  /** Lets the requests in hand end. */
  stop(): Promise<void>;
  /** Answers that were cut, or none of those that ingest may give. */
  readonly faults: readonly string[];
}

export interface IngestOptions {
  readonly url: string;
  readonly secret: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly clients?: number;
  readonly batch?: number;
}

interface Load extends IngestOptions {
  readonly accepted: Set<string>;
  readonly sent: Set<string>;
  readonly faults: string[];
  stopped: boolean;
}

/** Clients that post batch after batch over connections they keep, also while the server stops, dies and comes back. */
export function startIngest(options: IngestOptions): IngestClients {
  const { clients = 8 } = options;
  const load: Load = { ...options, accepted: new Set(), sent: new Set(), faults: [], stopped: false };
  const running = Array.from({ length: clients }, () => postUntilStopped(load));
  return {
    accepted: load.accepted,
    sent: load.sent,
    faults: load.faults,
    more: (events) => {
      const enough = load.accepted.size + events;
      return eventually(`${enough} events are accepted`, () => load.accepted.size >= enough, {
        explain: () => load.faults.join('\n'),
      });
    },
    stop: async () => {
      load.stopped = true;
      await Promise.all(running);
    },
  };
}

async function postUntilStopped(load: Load): Promise<void> {
  const { batch = 20 } = load;
  while (!load.stopped) {
    const ids = Array.from({ length: batch }, () => randomUUID());
    for (const id of ids) load.sent.add(id);
    const answered = await post(load, ids);
    // Nobody listens for now: whoever asks again at once only keeps the machine from starting it.
    if (!answered) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

const RETRY_MS = 20;

/** False where no answer began: the connection was refused or cut before. */
async function post(load: Load, ids: readonly string[]): Promise<boolean> {
  const { url, secret, source, type, subject } = load;
  const events = ids.map((id) => ({ specversion: '1.0', id, source, type, subject }));
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  }).catch(() => undefined);
  if (answer === undefined) return false;
  try {
    const { accepted } = (await answer.json()) as { accepted?: number };
    if (answer.status === 202 && accepted === ids.length) for (const id of ids) load.accepted.add(id);
    else if (answer.status !== 503) load.faults.push(`status ${answer.status}, ${accepted} accepted`);
  } catch (error) {
    load.faults.push(`half an answer: ${String(error)}`);
  }
  return answer.status === 202;
}
