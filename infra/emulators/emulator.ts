import { z } from 'zod';

export const EMULATOR_NAMES = ['spanner', 'pubsub', 'bigquery'] as const;
export type EmulatorName = (typeof EMULATOR_NAMES)[number];

/** Beside each other: what was there, what was started from what there is, and what had to be built first. */
export type EmulatorOrigin = 'found' | 'started' | 'built';

/** An emulator that answers. */
export interface RunningEmulator {
  readonly name: EmulatorName;
  readonly origin: EmulatorOrigin;
  /** For a reader: where it comes from and where it listens. */
  readonly what: string;
  /** What a client of it needs in its environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** Ends it and removes its files, if it was us who started it. */
  stop(): Promise<void>;
}

/** An emulator that cannot be had on this machine. */
export interface MissingEmulator {
  readonly name: EmulatorName;
  readonly origin: 'not available';
  readonly reason: string;
}

export type Emulator = RunningEmulator | MissingEmulator;

export const isRunning = (emulator: Emulator): emulator is RunningEmulator =>
  emulator.origin !== 'not available';

/** What finding and starting an emulator may depend on, beside the files of the machine. */
export interface EmulatorSettings {
  readonly environment: NodeJS.ProcessEnv;
  /** Told what takes long, in a sentence. */
  readonly say: (line: string) => void;
}

/** No emulator from this source, and why: the next source may have one. */
export class EmulatorUnavailable extends Error {
  override readonly name = 'EmulatorUnavailable';
}

const DEFAULT_PROJECT = 'millrace-local';

/** The project that clients of the emulators work in: any name will do, as long as all use the same. */
export const projectOf = ({ MILLRACE_PROJECT, GOOGLE_CLOUD_PROJECT }: NodeJS.ProcessEnv): string =>
  MILLRACE_PROJECT || GOOGLE_CLOUD_PROJECT || DEFAULT_PROJECT;

const namesSchema = z
  .array(z.enum(EMULATOR_NAMES, `must be of ${EMULATOR_NAMES.join(', ')}`))
  .nonempty()
  .transform((names) => EMULATOR_NAMES.filter((name) => names.includes(name)));

/** Reads `spanner,pubsub`; nothing means all. Throws an error that says which names there are. */
export function parseEmulatorNames(text: string | undefined): readonly EmulatorName[] {
  if (text === undefined) return EMULATOR_NAMES;
  const parsed = namesSchema.safeParse(text.split(',').map((name) => name.trim()));
  if (parsed.success) return parsed.data;
  throw new Error(`the emulators ${EMULATOR_NAMES.join(', ')} exist, not: ${text}`);
}
