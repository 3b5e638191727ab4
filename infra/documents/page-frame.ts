import { baselineAt } from './row.ts';
import { FOOTER_BASELINE, MARK, PAGE, STYLES } from './style.ts';
import type { PdfDocument, TextStyle, Typesetter } from './typesetter.ts';

/** Prints a word across the page that is open, before anything else stands on it. */
export function printMark(
  document: PdfDocument,
  typesetter: Typesetter,
  { text, colour }: { readonly text: string; readonly colour: string },
): void {
  const style: TextStyle = { size: MARK.size, weight: 'bold', colour };
  const line = typesetter.line(text, style);
  const [x, y] = [PAGE.width / 2, PAGE.height / 2];
  document.save().rotate(-45, { origin: [x, y] });
  typesetter.print(line, style, { x: x - line.width / 2, baseline: baselineAt(y - MARK.size * 0.7, style) });
  document.restore();
}

const GAP = 20;

/** Prints the same text at the bottom of all pages, each with its number: only when all are there is it known how many there are. */
export function printFooters(document: PdfDocument, typesetter: Typesetter, footer: string): void {
  const { count } = document.bufferedPageRange();
  for (let page = 0; page < count; page++) {
    document.switchToPage(page);
    const number = typesetter.line(`Page ${page + 1} of ${count}`, STYLES.tiny);
    const [left] = typesetter.lines(footer, STYLES.tiny, PAGE.right - PAGE.left - number.width - GAP);
    if (left !== undefined) typesetter.print(left, STYLES.tiny, { x: PAGE.left, baseline: FOOTER_BASELINE });
    typesetter.print(number, STYLES.tiny, { x: PAGE.right - number.width, baseline: FOOTER_BASELINE });
  }
}
