import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Set for a sibling: it starts none of its own. */
const SIBLING_VARIABLE = 'MILLRACE_WORKER_SIBLING';

export const isSibling = (environment: NodeJS.ProcessEnv = process.env): boolean =>
  environment[SIBLING_VARIABLE] !== undefined;

/** The arguments of this worker, for one with another id. */
export const argumentsFor = (id: string, args: readonly string[]): string[] => {
  const rest = args.filter((arg, i) => !arg.startsWith('--id=') && arg !== '--id' && args[i - 1] !== '--id');
  return [`--id=${id}`, ...rest];
};

/**
 * Starts the further workers that a runner expects from the container of this one, each in a process of its own, since a process of Node uses one
 * processor. Resolves with what to say when one of them has ended: then this one ends too, and the runner starts the container again. They end
 * by themselves when this one does. It never resolves where there are none.
 */
export function startSiblings(
  ids: readonly string[],
  args: readonly string[],
  program: string,
): Promise<string> {
  const children = ids.map((id): [string, ChildProcess] => [
    id,
    spawn(process.execPath, [...process.execArgv, program, ...argumentsFor(id, args)], {
      stdio: 'inherit',
      env: { ...process.env, [SIBLING_VARIABLE]: 'yes' },
    }),
  ]);
  const ended = children.map(async ([id, child]) => {
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return `the sibling worker ${id} ended with ${code ?? signal ?? 'nothing'}`;
  });
  return ended.length === 0 ? new Promise<string>(() => undefined) : Promise.race(ended);
}
