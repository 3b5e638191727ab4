import { expect } from 'chai';
import type { ApiAnswer, TestApi } from '#test/support/api-server.ts';
import { drained } from '#test/support/local-stores.ts';
import { startPipeline } from '#test/support/pipeline-process.ts';

export const SOURCE = 'urn:svc:chat';

export interface Fate {
  readonly identity: string;
  readonly state: string;
  readonly event?: { readonly type: string; readonly subject: string; readonly data: unknown };
  readonly cells: readonly { readonly meter: string; readonly group: unknown; readonly value: string }[];
  readonly conflicts: readonly { readonly digest: string }[];
  readonly deadLetters: readonly { readonly id: string; readonly reason: string; readonly state: string }[];
}

/** The API with a pipeline beside it, as a user sees both. */
export interface RunningApi {
  /** Sends events, all of which must be accepted. */
  send(events: readonly object[], key?: string): Promise<void>;
  /** Everything that the API published is committed. */
  settled(): Promise<void>;
  lookup(id: string, options?: { readonly source?: string; readonly key?: string }): Promise<Fate>;
  /** What a meter has counted for a subject, today and some days around it. */
  usage(meter: string, subject: string): Promise<string | null>;
  putMeter(key: string, definition: object): Promise<void>;
}

const DAY_MS = 86_400_000;

export async function startRunning({ call, directory, stores, cleanup }: TestApi): Promise<RunningApi> {
  const pipeline = startPipeline({ directory, worker: 'pipeline' });
  cleanup.defer(() => pipeline.stop());
  await pipeline.ready;
  const settled = (): Promise<void> => drained({ ...stores, topic: stores.topics.api }, pipeline.errorText);
  const expectOk = (answer: ApiAnswer): unknown => {
    expect(answer.status, answer.text).to.be.within(200, 299);
    return answer.body;
  };
  return {
    settled,
    async send(events, key) {
      const body = expectOk(
        await call({
          method: 'POST',
          path: '/v1/events',
          body: events,
          ...(key === undefined ? {} : { key }),
        }),
      );
      expect(body).to.include({ accepted: events.length, rejected: 0 });
    },
    async lookup(id, { source = SOURCE, key } = {}) {
      const query = new URLSearchParams({ source, id });
      const path = `/v1/events/lookup?${query.toString()}`;
      return expectOk(await call({ path, ...(key === undefined ? {} : { key }) })) as Fate;
    },
    async usage(meter, subject) {
      const [from, to] = [-2, 2].map((days) => new Date(Date.now() + days * DAY_MS).toISOString());
      const query = new URLSearchParams({ meter, subject, from: from ?? '', to: to ?? '' });
      const usage = expectOk(await call({ path: `/v1/usage?${query.toString()}` }));
      return (usage as { rows: { value: string | null }[] }).rows[0]?.value ?? null;
    },
    async putMeter(key, body) {
      expectOk(await call({ method: 'PUT', path: `/v1/meters/${key}`, body }));
    },
  };
}

export const callEvent = (id: string, data?: unknown, more: object = {}): object => ({
  specversion: '1.0',
  id,
  source: SOURCE,
  type: 'llm.request',
  subject: 'acme',
  time: new Date().toISOString(),
  ...(data === undefined ? {} : { data }),
  ...more,
});

export const TOKENS = { name: 'Tokens', eventType: 'llm.request', aggregation: 'sum', value: 'tokens' };
