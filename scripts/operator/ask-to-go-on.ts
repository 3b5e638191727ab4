import { createInterface } from 'node:readline/promises';
import { UsageError, type Invocation } from './terminal.ts';

/** Asks before something is changed. Throws when the answer is anything but yes, or when nobody is there to give one. */
export async function askToGoOn(
  { terminal, input }: Pick<Invocation, 'terminal' | 'input'>,
  what: string,
): Promise<void> {
  terminal.note(`${what}? Type yes to go on: `);
  const lines = createInterface({ input: input() });
  try {
    for await (const line of lines) {
      if (line.trim().toLowerCase() === 'yes') return;
      break;
    }
  } finally {
    lines.close();
  }
  throw new UsageError('not confirmed: nothing was changed. --yes confirms beforehand');
}
