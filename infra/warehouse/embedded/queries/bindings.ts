import { BIGINT, LIST, VARCHAR, listValue } from '@duckdb/node-api';
import type { Binding } from '../engine.ts';

/* Values that a question names, as the engine takes them: bound, never written into the SQL. */

export const boundText = (value: string): Binding => ({ value, type: VARCHAR });
export const boundTexts = (values: readonly string[]): Binding => ({
  value: listValue(values),
  type: LIST(VARCHAR),
});
export const boundInteger = (value: number): Binding => ({ value: BigInt(value), type: BIGINT });
