import { leadingOf } from './style.ts';
import type { TextLine, TextStyle, Typesetter } from './typesetter.ts';

/** A text in a column of a row: from `x` to `x + width`. */
export interface Cell {
  readonly text: string;
  readonly x: number;
  readonly width: number;
  readonly style: TextStyle;
  readonly right?: boolean;
  /** What stands below it in the column, and is never parted from it. */
  readonly notes?: readonly { readonly text: string; readonly style: TextStyle }[];
}

/** A line of a cell, with where it begins. */
export interface CellLine {
  readonly line: TextLine;
  readonly style: TextStyle;
  readonly x: number;
}

/** The lines of a cell, as many as its width makes of its text. */
export const cellLines = (typesetter: Typesetter, cell: Cell): CellLine[] =>
  [cell, ...(cell.notes ?? [])].flatMap(({ text, style }) =>
    typesetter.lines(text, style, cell.width).map((line) => ({ line, style, x: leftOf(cell, line) })),
  );

export const heightOf = (lines: readonly CellLine[]): number =>
  lines.reduce((sum, { style }) => sum + leadingOf(style), 0);

export const leftOf = (
  { x, width, right }: Pick<Cell, 'x' | 'width' | 'right'>,
  line: Pick<TextLine, 'width'>,
): number => (right === true ? x + width - line.width : x);

/** Letters stand in the middle of their line, whatever their font. */
export const baselineAt = (top: number, style: TextStyle): number => top + style.size * 1.02;

/** Heights are sums of fractions: what fits by calculation fits. */
const ROUNDING = 0.001;

/** Where a row is printed: its top, and what to do when not even a line of it fits any more. */
interface Place {
  readonly top: number;
  readonly bottom: number;
  /** Answers the top of the next page. */
  nextPage(): number;
}

/** Prints cells side by side and answers where the longest ends. Their first lines stand on one baseline, then each column goes its own way. */
export function printRow(
  typesetter: Typesetter,
  columns: readonly (readonly CellLine[])[],
  { top, bottom, nextPage }: Place,
): number {
  let tops = columns.map(() => top);
  const count = Math.max(0, ...columns.map(({ length }) => length));
  for (let place = 0; place < count; place++) {
    const there = columns.flatMap((lines, column) => {
      const line = lines[place];
      return line === undefined ? [] : [{ ...line, column }];
    });
    const lowest = Math.max(...there.map(({ style, column }) => (tops[column] ?? top) + leadingOf(style)));
    if (lowest > bottom + ROUNDING) {
      const next = nextPage();
      tops = columns.map(() => next);
    }
    const first = Math.max(...there.map(({ style }) => baselineAt(0, style)));
    for (const { line, style, x, column } of there) {
      const above = tops[column] ?? top;
      typesetter.print(line, style, { x, baseline: above + (place === 0 ? first : baselineAt(0, style)) });
      tops[column] = above + leadingOf(style);
    }
  }
  return Math.max(top, ...tops);
}
