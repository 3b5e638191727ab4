/** A guide piece by piece: a heading, a fenced block of code, or a line of what is written between them. */
export type GuideBlock =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'code'; readonly language: string; readonly note: string; readonly text: string }
  | { readonly kind: 'prose'; readonly text: string };

const HEADING = /^#{2,} (.+)$/;
/** The language, and a word of our own behind it, which readers of Markdown leave alone. */
const FENCE = /^```(\w*) ?(\w*)$/;

/** The blocks in the order of the guide. A block of code that is not closed is left out. */
export function* blocksOf(guide: string): Generator<GuideBlock> {
  let open: { language: string; note: string; lines: string[] } | undefined;
  for (const line of guide.split('\n')) {
    const fence = FENCE.exec(line);
    if (open !== undefined) {
      if (line !== '```') open.lines.push(line);
      else {
        const { language, note, lines } = open;
        yield { kind: 'code', language, note, text: lines.join('\n') };
        open = undefined;
      }
    } else if (fence !== null) open = { language: fence[1] ?? '', note: fence[2] ?? '', lines: [] };
    else {
      const heading = HEADING.exec(line)?.[1];
      if (heading !== undefined) yield { kind: 'heading', text: heading };
      else if (line !== '') yield { kind: 'prose', text: line };
    }
  }
}
