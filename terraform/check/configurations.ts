import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { topBlocks, type TopBlock } from './hcl-blocks.ts';

/** A folder that Terraform can be run in. */
export interface Configuration {
  /** From the terraform folder, such as `modules/pubsub`. */
  readonly path: string;
  readonly hasTests: boolean;
}

export const TERRAFORM = join(import.meta.dirname, '..');

export function configurations(): Configuration[] {
  return ['modules', 'environments'].flatMap((kind) =>
    readdirSync(join(TERRAFORM, kind))
      .sort()
      .map((name) => ({ path: `${kind}/${name}`, hasTests: tested(`${kind}/${name}`) })),
  );
}

const tested = (path: string): boolean =>
  readdirSync(join(TERRAFORM, path), { recursive: true }).some((file) =>
    String(file).endsWith('.tftest.hcl'),
  );

/** All blocks of a configuration, file by file. */
export function blocksOf(path: string): TopBlock[] {
  return readdirSync(join(TERRAFORM, path))
    .filter((file) => file.endsWith('.tf'))
    .sort()
    .flatMap((file) => topBlocks(readFileSync(join(TERRAFORM, path, file), 'utf8')));
}
