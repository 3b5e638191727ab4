import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** One instruction, its continued lines joined: `{ name: 'USER', value: '1000:1000' }`. */
export interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The stages of the Dockerfile, each beginning with its FROM; what stands before the first is the stage before all. */
export function readDockerfile(): Instruction[][] {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => !/^\s*(?:#|$)/.test(line))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n');
  const stages: Instruction[][] = [[]];
  for (const line of lines.filter(Boolean)) {
    const [name = '', ...rest] = line.trim().split(/\s+/);
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, value: rest.join(' ') });
  }
  return stages;
}

/** Whether Docker sends a file, by its path from the root, to the build: of the patterns that match it the last decides. */
export function readDockerignore(): (file: string) => boolean {
  const rules = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ sent: line.startsWith('!'), pattern: toPattern(line.replace(/^!/, '')) }));
  return (file) => rules.findLast(({ pattern }) => pattern.test(file))?.sent ?? true;
}

/** A pattern matches a path and everything below it. */
const toPattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .split('**/')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*'))
      .join('(?:.*/)?')}(?:/.*)?$`,
  );

/** The programs that the image is started with in the cloud, by component. */
export function readPrograms(): Record<string, string> {
  const block =
    /^ {2}programs = \{\n([^]*?)^ {2}\}/m.exec(read('terraform/modules/platform/run.tf'))?.[1] ?? '';
  return Object.fromEntries(
    [...block.matchAll(/^ {4}(\w+) += \["([^"]+)"/gm)].map(([, name = '', program = '']) => [name, program]),
  );
}
