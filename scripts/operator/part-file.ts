import { rmSync } from 'node:fs';

/** Does something with a file that must not outlive it, whether it ends well, fails, or is told to end. */
export async function withPartFile<Result>(
  path: string,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  const remove = (): void => rmSync(path, { force: true });
  process.once('exit', remove);
  try {
    return await work(path);
  } finally {
    process.off('exit', remove);
    remove();
  }
}
