/** Scripts that are written without spaces: a line may break between any two of their letters. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3001-\u303f\uff00-\uffef]$/u;
/** Belongs to what stands before it, so that it never begins a line. */
const CLOSING =
  /^[\p{M}\u200d\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3015\u30fc\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f]$/u;
/** Belongs to what stands behind it. */
const OPENING = /^[\u3008\u300a\u300c\u300e\u3010\u3014\uff08]$/;

/** A stretch of text, [from, to), that a line never cuts while it fits into one. */
export interface Unit {
  readonly from: number;
  readonly to: number;
}

/** Cuts text where a line may end: after spaces, after hyphens and slashes inside words, between letters of unspaced scripts. */
export function unitsOf(text: string): Unit[] {
  const units: Unit[] = [];
  let [from, to, before] = [0, 0, ''];
  for (const letter of text) {
    if (to > from && mayBreak(before, letter)) {
      units.push({ from, to });
      from = to;
    }
    to += letter.length;
    before = letter;
  }
  if (to > from) units.push({ from, to });
  return units;
}

function mayBreak(before: string, after: string): boolean {
  if (after === ' ' || CLOSING.test(after)) return false;
  if (before === ' ') return true;
  if (before === '-' || before === '/') return /^\p{L}$/u.test(after);
  return (UNSPACED.test(before) || UNSPACED.test(after)) && !OPENING.test(before);
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Cuts a stretch that is wider than a line: between what a reader takes for one letter. */
export const lettersOf = (text: string, { from, to }: Unit): Unit[] =>
  Array.from(graphemes.segment(text.slice(from, to)), ({ index, segment }) => ({
    from: from + index,
    to: from + index + segment.length,
  }));
