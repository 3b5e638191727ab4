import { resolve } from 'node:path';
import { goBinary, type GoBinary, type GoBuildSettings } from './go-program.ts';

export interface BuildSettings extends GoBuildSettings {
  /** The Go module that pins the emulator. */
  readonly module?: string;
}

const PINNED_MODULE = resolve(import.meta.dirname, 'bigquery');

/**
 * The pinned emulator's binary: from the user's cache, else built into it. Throws `EmulatorUnavailable` when it can neither be found nor built.
 */
export const bigqueryBinary = ({ module = PINNED_MODULE, ...settings }: BuildSettings): Promise<GoBinary> =>
  goBinary(
    {
      name: 'bigquery',
      binary: 'bigquery-emulator',
      module,
      package: 'github.com/goccy/bigquery-emulator/cmd/bigquery-emulator',
      // One compiler process takes 6.4 GB for the largest package.
      memoryMin: 7_000_000_000,
      parallelMemoryMin: 14_000_000_000,
      duration: '4 to 10 minutes',
    },
    settings,
  );
