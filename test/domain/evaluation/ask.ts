import { parseRfc3339 } from '#domain/calendar/rfc3339.ts';
import { evaluateUsage } from '#domain/evaluation/evaluate-usage.ts';
import {
  EvaluationError,
  type EvaluatedEvent,
  type Evaluation,
  type EvaluationAnswer,
} from '#domain/evaluation/evaluation.ts';
import type { Instant } from '#domain/instant.ts';

/** Questions to the calculator of usage: about March 2026 and a sum of `n`, unless said otherwise. */

export const at = (text: string): Instant => parseRfc3339(text)!.at;

export const MARCH: Evaluation = {
  namespace: 'default',
  meter: { aggregation: 'sum', value: 'n', dimensions: { model: 'model', region: 'region' } },
  events: [],
  query: {
    from: at('2026-03-01T00:00:00Z'),
    to: at('2026-04-01T00:00:00Z'),
    window: 'none',
    timezone: 'UTC',
  },
};

export const event = (
  time: string,
  data: Readonly<Record<string, unknown>>,
  more: Partial<EvaluatedEvent> = {},
): EvaluatedEvent => ({ time, data: JSON.stringify(data), ...more });

export interface Asked {
  readonly meter?: Partial<Evaluation['meter']>;
  readonly query?: Partial<Evaluation['query']>;
}

export const evaluate = (events: readonly EvaluatedEvent[], { meter, query }: Asked = {}): EvaluationAnswer =>
  evaluateUsage({
    ...MARCH,
    events,
    meter: { ...MARCH.meter, ...meter },
    query: { ...MARCH.query, ...query },
  });

export const values = ({ rows }: EvaluationAnswer): (string | null)[] => rows.map(({ value }) => value);

export function codesOf(asked: Asked, events: readonly EvaluatedEvent[] = []): string[] {
  try {
    evaluate(events, asked);
  } catch (error) {
    if (error instanceof EvaluationError)
      return error.violations.map(({ pointer, code }) => `${pointer} ${code}`);
    throw error;
  }
  return [];
}
