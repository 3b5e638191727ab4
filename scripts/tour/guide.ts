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

const HEADING = /^## (.+)$/;
const FENCE = /^```(\w*) ?(\d*)$/;

/**
 * The steps of a guide: each `sh` block that begins with `curl`, with the `json` or `csv` block that follows it and names the status. Throws
 * where a command has no answer or an answer no command: a guide that is half understood would be half checked.
 */
export function stepsOf(guide: string): TourStep[] {
  const steps: TourStep[] = [];
  let chapter = '';
  let command: string | undefined;
  for (const { language, status, text, heading } of blocksOf(guide)) {
    if (heading !== undefined) chapter = heading;
    else if (language === 'sh') {
      if (command !== undefined) throw new Error(`the guide shows no answer to ${command}`);
      if (text.startsWith('curl ')) command = text;
    } else {
      if (command === undefined) throw new Error(`the guide shows an answer to no command: ${text}`);
      if (language !== 'json' && language !== 'csv')
        throw new Error(`the guide shows an answer as ${language}`);
      steps.push({ chapter, command, status: Number(status), kind: language, answer: text });
      command = undefined;
    }
  }
  if (command !== undefined) throw new Error(`the guide shows no answer to ${command}`);
  return steps;
}

interface Block {
  readonly heading?: string;
  readonly language?: string;
  readonly status?: string;
  readonly text: string;
}

function* blocksOf(guide: string): Generator<Block> {
  let open: { language: string; status: string; lines: string[] } | undefined;
  for (const line of guide.split('\n')) {
    const fence = FENCE.exec(line);
    if (open !== undefined) {
      if (line !== '```') open.lines.push(line);
      else {
        yield { ...open, text: open.lines.join('\n') };
        open = undefined;
      }
    } else if (fence !== null) open = { language: fence[1] ?? '', status: fence[2] ?? '', lines: [] };
    else {
      const heading = HEADING.exec(line)?.[1];
      if (heading !== undefined) yield { heading, text: line };
    }
  }
}
