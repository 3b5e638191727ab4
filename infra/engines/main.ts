import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { EmulatorSettings } from '#infra/emulators/emulator.ts';
import { EngineUnavailable } from './engine.ts';
import { flinkJars, flinkJarsWithExpansion } from './flink/flink-jars.ts';
import { prismBinary } from './prism/prism-binary.ts';

/**
 * `npm run engines -- --prepare flink,prism,expansion`: fetches and builds what the engines are started from, so that nobody waits for it later. Talks on standard
 * error. Exit code 1 only when what was asked for makes no sense: whoever needs an engine that cannot be had finds that out by itself.
 */
const NAMES = ['flink', 'prism', 'expansion'] as const;
const USAGE = `npm run engines -- --prepare ${NAMES.join(',')}`;

const PREPARE: Readonly<Record<(typeof NAMES)[number], (settings: EmulatorSettings) => Promise<string>>> = {
  flink: async (settings) => (await flinkJars(settings)).folder,
  prism: async (settings) => (await prismBinary(settings)).path,
  /** Flink with Java's own read of Pub/Sub. */
  expansion: async (settings) => (await flinkJarsWithExpansion(settings)).folder,
};

const names = z
  .string('--prepare names the engines')
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(NAMES, `there are ${NAMES.join(', ')}`)));

const say = (line: string): void => void process.stderr.write(`${line}\n`);

try {
  const { values } = parseArgs({ options: { prepare: { type: 'string' } } });
  const parsed = names.safeParse(values.prepare);
  if (!parsed.success) throw new Error(parsed.error.issues.map(({ message }) => message).join(', '));
  for (const name of new Set(parsed.data)) await prepare(name);
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\nUsage: ${USAGE}`);
  process.exitCode = 1;
}

async function prepare(name: keyof typeof PREPARE): Promise<void> {
  try {
    say(`${name}: ready to start: ${await PREPARE[name]({ environment: process.env, say })}`);
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    say(`${name}: cannot be prepared: ${error.message}`);
  }
}
