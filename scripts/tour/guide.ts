import { blocksOf } from '../guide-blocks.ts';

/** A command of the guide and the answer that stands below it. */
export interface TourStep {
  /** The heading that it stands under. */
  readonly chapter: string;
  /** One call of `curl`, as a reader pastes it. */
  readonly command: string;
  readonly status: number;
  readonly kind: 'json' | 'csv';
  /** The text of the answer, with an ellipsis for what differs. */
  readonly answer: string;
}

/**
 * The steps of a guide: each `sh` block that begins with `curl`, with the `json` or `csv` block that follows it and names the status. Throws
 * where a command has no answer or an answer no command: a guide that is half understood would be half checked.
 */
export function stepsOf(guide: string): TourStep[] {
  const steps: TourStep[] = [];
  let chapter = '';
  let command: string | undefined;
  for (const block of blocksOf(guide)) {
    if (block.kind === 'heading') chapter = block.text;
    if (block.kind !== 'code') continue;
    const { language, note, text } = block;
    if (language === 'sh') {
      if (command !== undefined) throw new Error(`the guide shows no answer to ${command}`);
      if (text.startsWith('curl ')) command = text;
    } else {
      if (command === undefined) throw new Error(`the guide shows an answer to no command: ${text}`);
      if (language !== 'json' && language !== 'csv')
        throw new Error(`the guide shows an answer as ${language}`);
      steps.push({ chapter, command, status: Number(note), kind: language, answer: text });
      command = undefined;
    }
  }
  if (command !== undefined) throw new Error(`the guide shows no answer to ${command}`);
  return steps;
}
