import { join } from 'node:path';
import type { Instant } from '#domain/instant.ts';
import { startChild, type Child } from './child-process.ts';
import { eventually } from './eventually.ts';

const PROGRAM = join(import.meta.dirname, 'producer-process-main.ts');

/** What the test asks of the producer. */
export interface Order {
  readonly id: number;
  readonly batches: readonly (readonly string[])[];
}

/** What the producer answers: with an id, all of that order is durable; without one, a try has failed. */
export interface Published {
  readonly id?: number;
  /** The producer's clock after the last batch was durable. */
  readonly publishedBy?: Instant;
  readonly failures: number;
  readonly lastError: string;
}

export interface ProducerProcess extends Child {
  /** Resolves with the producer's clock once all batches are durable. */
  publish(batches: readonly (readonly string[])[]): Promise<Instant>;
  /** Resolves once the topic has refused so many tries. */
  failed(tries: number): Promise<void>;
  /** What the topic said of the last refused try. */
  lastError(): string;
}

export function startProducer(directory: string): ProducerProcess {
  const child = startChild(PROGRAM, [directory]);
  const published = new Map<number, Instant>();
  let orders = 0;
  let last: Published = { failures: 0, lastError: '' };
  child.process.on('message', (answer: Published) => {
    last = answer;
    if (answer.id !== undefined) published.set(answer.id, answer.publishedBy ?? 0);
  });
  return {
    ...child,
    publish: async (batches) => {
      const id = orders++;
      child.process.send({ id, batches } satisfies Order);
      await eventually(`the producer has published order ${id}`, () => {
        if (child.hasExited()) throw new Error(`the producer has ended\n${child.errorText()}`);
        return published.has(id);
      });
      return published.get(id) ?? 0;
    },
    failed: (tries) => eventually('the producer has failed', () => last.failures >= tries),
    lastError: () => last.lastError,
  };
}
