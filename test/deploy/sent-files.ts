import { cp, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readDockerignore, ROOT } from './dockerfile.ts';

const NOT_OURS = new Set(['node_modules', '.git', '.millrace', 'coverage']);

/** Copies into the folder what Docker would be sent, as `COPY . .` does. */
export async function copySentFiles(app: string): Promise<void> {
  const sent = readDockerignore();
  for (const file of await filesBelow('.')) {
    if (!sent(file)) continue;
    await mkdir(dirname(join(app, file)), { recursive: true });
    await cp(join(ROOT, file), join(app, file));
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(ROOT, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory() && !NOT_OURS.has(entry.name)) found.push(...(await filesBelow(path)));
  }
  return found;
}
