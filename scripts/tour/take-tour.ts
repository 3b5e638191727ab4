import { setTimeout } from 'node:timers/promises';
import { differences, lineDifferences } from './differences.ts';
import type { TourCall, TourStep } from './guide.ts';
import type { CurlAnswer } from './run-curl.ts';
import { valueOf, type Answered } from './set-variable.ts';

/** Counting takes a moment: a question is asked again until its answer is the one shown, for so long. */
const PATIENCE_MS = 30_000;
const ASK_AGAIN_MS = 50;

type Variables = Readonly<Record<string, string>>;

export type Run = (command: string, variables: Variables) => Promise<CurlAnswer>;

/** Where the story is told, and what differs. */
export interface Teller {
  log(line: string): void;
  error(line: string): void;
}

export interface TourOptions {
  readonly run: Run;
  /** Those that the reader has from elsewhere: the address and the key. */
  readonly variables: Variables;
  readonly teller: Teller;
}

/** Takes the steps one after the other; returns how many answers were not as shown. */
export async function takeTour(steps: readonly TourStep[], options: TourOptions): Promise<number> {
  const { run, teller } = options;
  const variables = { ...options.variables };
  let [chapter, failed] = ['', 0];
  let before: Answered | undefined;
  for (const step of steps) {
    if (step.chapter !== chapter) teller.log(`\n## ${step.chapter}\n`);
    chapter = step.chapter;
    if (step.kind === 'setting') {
      variables[step.name] = await valueOf(step, variables, before);
      continue;
    }
    teller.log(`${step.command}\n`);
    const { answer, faults } = await take(step, (command) => run(command, variables));
    before = { call: step, text: answer.text };
    teller.log(`  ${answer.status} ${shorten(answer.text)}\n`);
    for (const fault of faults) teller.error(`  DIFFERS  ${fault}`);
    if (faults.length > 0) failed++;
  }
  return failed;
}

async function take(
  step: TourCall,
  run: (command: string) => Promise<CurlAnswer>,
): Promise<{ answer: CurlAnswer; faults: readonly string[] }> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await run(step.command);
    const faults = judge(step, answer);
    if (faults.length === 0 || changes(step) || performance.now() > giveUpAt) return { answer, faults };
    await setTimeout(ASK_AGAIN_MS);
  }
}

/** What changes something is asked once only, as its reader does. */
const changes = ({ command }: TourCall): boolean => /\s-[dX]\s/.test(command);

function judge({ status, kind, answer: shown }: TourCall, { status: found, text }: CurlAnswer): string[] {
  const ofStatus = status === found ? [] : [`the guide shows status ${status}, the answer has ${found}`];
  if (kind === 'file') return [...ofStatus, ...differences(`${shown}…`, text)];
  if (kind === 'csv') return [...ofStatus, ...lineDifferences(shown, text)];
  return [...ofStatus, ...differences(JSON.parse(shown), parse(text))];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const SHOWN_CHARACTERS = 600;
const shorten = (text: string): string =>
  (text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text)
    .trimEnd()
    .replaceAll('\n', '\n  ');
