import type PDFDocument from 'pdfkit';
import { fontName, fontOf, type Family, type Weight } from './fonts.ts';
import { lettersOf, unitsOf, type Unit } from './line-breaks.ts';
import { printedText, type Piece, type PrintedText } from './printed-text.ts';

export type PdfDocument = InstanceType<typeof PDFDocument>;

/** How a text looks. Sizes are points. */
export interface TextStyle {
  readonly size: number;
  readonly weight: Weight;
  readonly colour: string;
}

/** One line of a text, ready to be printed. */
export interface TextLine {
  readonly pieces: readonly (Piece & { readonly width: number })[];
  readonly width: number;
  /** What it says in the order of reading, where its pieces stand in another. */
  readonly reading: string | undefined;
}

export interface Typesetter {
  /** Breaks a text into lines of at most `width`; an empty one has no line. */
  lines(text: string, style: TextStyle, width: number): TextLine[];
  /** The text on one line, however wide. */
  line(text: string, style: TextStyle): TextLine;
  /** Prints a line with its left end and its baseline there. */
  print(line: TextLine, style: TextStyle, at: { readonly x: number; readonly baseline: number }): void;
}

/** Lays out a run as a whole instead of word by word: words that are read from the right stand in that order too. */
const WHOLE = { features: [] };

export function createTypesetter(document: PdfDocument): Typesetter {
  const registered = new Set<string>();

  const use = (family: Family, { weight, size }: TextStyle): void => {
    const name = fontName(family, weight);
    if (!registered.has(name)) {
      // A font that is parsed already is taken as it is, which the package's types do not say.
      document.registerFont(name, fontOf(family, weight) as unknown as Uint8Array);
      registered.add(name);
    }
    document.font(name, size);
  };

  const measured = (piece: Piece, style: TextStyle): number => {
    use(piece.family, style);
    return document.widthOfString(piece.text, piece.rightToLeft ? WHOLE : undefined);
  };

  const lineOf = (text: PrintedText, { from, to }: Unit, style: TextStyle): TextLine => {
    const pieces = text.pieces(from, to).map((piece) => ({ ...piece, width: measured(piece, style) }));
    return {
      pieces,
      width: pieces.reduce((sum, { width }) => sum + width, 0),
      reading: text.plain ? undefined : text.text.slice(from, to),
    };
  };

  const widthOf = (text: PrintedText, { from, to }: Unit, style: TextStyle): number =>
    text.pieces(from, to).reduce((sum, piece) => sum + measured(piece, style), 0);

  const measureOf =
    (text: PrintedText, style: TextStyle): Measure =>
    (unit) => {
      const end = endOfInk(text.text, unit);
      const ink = widthOf(text, { from: unit.from, to: end }, style);
      return { ink, whole: end === unit.to ? ink : widthOf(text, unit, style) };
    };

  return {
    lines: (written, style, width) => {
      const text = printedText(written);
      const whole = { from: 0, to: endOfInk(text.text, { from: 0, to: text.text.length }) };
      if (whole.to === 0) return [];
      const line = lineOf(text, whole, style);
      if (line.width <= width) return [line];
      const measure = measureOf(text, style);
      const units = unitsOf(text.text).flatMap((unit) =>
        measure(unit).ink > width ? lettersOf(text.text, unit) : [unit],
      );
      return filled(units, width, measure).map(({ from, to }) =>
        lineOf(text, { from, to: endOfInk(text.text, { from, to }) }, style),
      );
    },
    line: (written, style) => {
      const text = printedText(written);
      return lineOf(text, { from: 0, to: text.text.length }, style);
    },
    print: (line, style, { x, baseline }) => {
      if (line.reading !== undefined) document.markContent('Span', { actual: line.reading });
      let left = x;
      for (const piece of line.pieces) {
        use(piece.family, style);
        document.fillColor(style.colour).text(piece.text, left, baseline, {
          lineBreak: false,
          baseline: 'alphabetic',
          ...(piece.rightToLeft ? WHOLE : {}),
        });
        left += piece.width;
      }
      if (line.reading !== undefined) document.endMarkedContent();
    },
  };
}

/** Spaces at the end of a line are not printed. */
function endOfInk(text: string, { from, to }: Unit): number {
  let end = to;
  while (end > from && text[end - 1] === ' ') end--;
  return end;
}

/** Puts units into lines, each as full as it can be. The width of a line is that of its units, since no letter joins another across them. */
function filled(units: readonly Unit[], width: number, measure: Measure): Unit[] {
  const lines: Unit[] = [];
  let open: { from: number; to: number; used: number } | undefined;
  for (const unit of units) {
    const { ink, whole } = measure(unit);
    if (open !== undefined && open.used + ink <= width) {
      open.to = unit.to;
      open.used += whole;
      continue;
    }
    if (open !== undefined) lines.push(open);
    open = { ...unit, used: whole };
  }
  if (open !== undefined) lines.push(open);
  return lines;
}

/** How wide a unit is at the end of a line, and inside of one. */
type Measure = (unit: Unit) => { readonly ink: number; readonly whole: number };
