import PDFDocument from 'pdfkit';
import { printFooters, printMark } from './page-frame.ts';
import { baselineAt, cellLines, heightOf, leftOf, printRow, type Cell } from './row.ts';
import { PAGE, RULE } from './style.ts';
import { createTypesetter, type PdfDocument, type TextStyle } from './typesetter.ts';

/** What a document says of itself, and on each of its pages. */
export interface SheetOptions {
  readonly title: string;
  readonly author: string;
  /** When it was made, as the file says: part of its bytes, so it comes from the document and not from a clock. */
  readonly created: Date;
  /** Printed large across every page. */
  readonly mark: { readonly text: string; readonly colour: string } | null;
  /** At the bottom of every page, beside the number of the page. */
  readonly footer: string;
}

/**
 * Pages that fill from top to bottom. `y` is where the next thing goes; what does not fit on a page any more goes on the next one. Positions
 * are points from the top left corner.
 */
export interface Sheet {
  y: number;
  /** Begins a new page unless so much is left of this one. */
  need(height: number): void;
  newPage(): void;
  /** What to print at the top of each further page, until it is null. */
  repeat: (() => void) | null;
  /** One text on one line. It neither moves `y` nor breaks the page. */
  put(cell: Cell): void;
  /** How high a row of these cells would be. */
  heightOf(cells: readonly Cell[]): number;
  /** How wide a text is on one line. */
  widthOf(text: string, style: TextStyle): number;
  /** Cells side by side, each of as many lines as it needs; `y` is then below the longest. A row that fits on a page is not cut. */
  row(cells: readonly Cell[]): void;
  /** A line across the page, or a part of it, at `y`. */
  rule(options?: { readonly from?: number; readonly colour?: string }): void;
  /** Everything as one PDF. */
  end(): Promise<Buffer>;
}

/** What a repeated head takes of a page at most. */
const ROOM_FOR_REPEATED = 60;
const RULE_WIDTH = 0.6;

export function createSheet(options: SheetOptions): Sheet {
  const document = openDocument(options);
  const finished = collect(document);
  const typesetter = createTypesetter(document);
  const sheet: Sheet = {
    y: PAGE.top,
    repeat: null,
    need: (height) => {
      if (sheet.y + height > PAGE.bottom) sheet.newPage();
    },
    newPage: () => {
      document.addPage();
      if (options.mark !== null) printMark(document, typesetter, options.mark);
      sheet.y = PAGE.top;
      sheet.repeat?.();
    },
    put: (cell) => {
      const line = typesetter.line(cell.text, cell.style);
      typesetter.print(line, cell.style, {
        x: leftOf(cell, line),
        baseline: baselineAt(sheet.y, cell.style),
      });
    },
    heightOf: (cells) => Math.max(0, ...cells.map((cell) => heightOf(cellLines(typesetter, cell)))),
    widthOf: (text, style) => typesetter.line(text, style).width,
    row: (cells) => {
      const columns = cells.map((cell) => cellLines(typesetter, cell));
      const height = Math.max(0, ...columns.map(heightOf));
      if (height <= PAGE.bottom - PAGE.top - ROOM_FOR_REPEATED) sheet.need(height);
      const nextPage = (): number => {
        sheet.newPage();
        return sheet.y;
      };
      sheet.y = printRow(typesetter, columns, { top: sheet.y, bottom: PAGE.bottom, nextPage });
    },
    rule: ({ from = PAGE.left, colour = RULE } = {}) => {
      document.moveTo(from, sheet.y).lineTo(PAGE.right, sheet.y);
      document.lineWidth(RULE_WIDTH).strokeColor(colour).stroke();
    },
    end: () => {
      printFooters(document, typesetter, options.footer);
      document.end();
      return finished;
    },
  };
  return sheet;
}

const openDocument = ({ title, author, created }: SheetOptions): PdfDocument =>
  new PDFDocument({
    size: 'A4',
    margin: 0,
    autoFirstPage: false,
    bufferPages: true,
    lang: 'en',
    displayTitle: true,
    // No font but those that are embedded.
    font: null as unknown as string,
    info: { Title: title, Author: author, Creator: 'Millrace', CreationDate: created },
  });

function collect(document: PdfDocument): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    document.on('error', reject);
  });
}
