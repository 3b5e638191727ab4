import { blocksOf } from '../guide-blocks.ts';

/** A command of the guide and the answer that stands below it. */
export interface TourCall {
  /** The heading that it stands under. */
  readonly chapter: string;
  /** One call of `curl`, as a reader pastes it. */
  readonly command: string;
  readonly status: number;
  readonly kind: AnswerKind;
  /** The text of the answer, with an ellipsis for what differs. Of a `file`, what it begins with. */
  readonly answer: string;
}

const ANSWER_KINDS = ['json', 'csv', 'file'] as const;
type AnswerKind = (typeof ANSWER_KINDS)[number];

/** A line by which the reader gives a variable of the shell its value. */
export interface TourSetting {
  readonly chapter: string;
  readonly kind: 'setting';
  readonly name: string;
  /** As it stands behind the equals sign. */
  readonly value: string;
}

export type TourStep = TourCall | TourSetting;

const EXPORT = /^export (\w+)=(.+)$/;

/**
 * The steps of a guide: each `sh` block that begins with `curl`, with the `json`, `csv` or `file` block that follows it and names the status; and the
 * variables that `export` sets. Throws where a command has no answer or an answer no command: a guide that is half understood would be half
 * checked.
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
      else steps.push(...settingsOf(chapter, text));
    } else {
      if (command === undefined) throw new Error(`the guide shows an answer to no command: ${text}`);
      const kind = ANSWER_KINDS.find((each) => each === language);
      if (kind === undefined) throw new Error(`the guide shows an answer as ${language}`);
      steps.push({ chapter, command, status: Number(note), kind, answer: text });
      command = undefined;
    }
  }
  if (command !== undefined) throw new Error(`the guide shows no answer to ${command}`);
  return steps;
}

function settingsOf(chapter: string, text: string): TourSetting[] {
  return text.split('\n').flatMap((line) => {
    const [, name, value] = EXPORT.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [{ chapter, kind: 'setting', name, value }];
  });
}
