import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TourCall, TourSetting } from './guide.ts';

const ANYTHING = '…';
/** What a reader lets Node.js compute, which is there where Millrace is. */
const COMPUTED = /^\$\(node -p '([^']+)'\)$/;

const run = promisify(execFile);

/** The call before, as it is shown and as it was answered. */
export interface Answered {
  readonly call: TourCall;
  readonly text: string;
}

/**
 * The value that a reader gives a variable: one that is told before the tour stays; `$(node -p '…')` is computed; an ellipsis is copied from the answer
 * above, which shows exactly one `id` as an ellipsis. Throws on anything else.
 */
export async function valueOf(
  { name, value }: TourSetting,
  variables: Readonly<Record<string, string>>,
  before: Answered | undefined,
): Promise<string> {
  const given = variables[name];
  if (given !== undefined && before === undefined) return given;
  const [, expression] = COMPUTED.exec(value) ?? [];
  if (expression !== undefined) return (await run(process.execPath, ['-p', expression])).stdout.trim();
  if (value !== ANYTHING || before === undefined)
    throw new Error(`the guide does not say what ${name} is: ${value}`);
  const ids = idsLeftOpen(JSON.parse(before.call.answer), JSON.parse(before.text));
  const [id, ...others] = ids;
  if (typeof id !== 'string' || others.length > 0)
    throw new Error(`${ids.length} ids are left open in the answer above ${name}, and it is one of them`);
  return id;
}

/** What was answered where an `id` is shown as an ellipsis. */
function idsLeftOpen(shown: unknown, found: unknown): unknown[] {
  if (typeof shown !== 'object' || shown === null || typeof found !== 'object' || found === null) return [];
  const members = found as Readonly<Record<string, unknown>>;
  return Object.entries(shown).flatMap(([name, value]) =>
    name === 'id' && value === ANYTHING ? [members[name]] : idsLeftOpen(value, members[name]),
  );
}
