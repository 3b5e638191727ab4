import { inflateSync } from 'node:zlib';

/** A PDF as far as tests look into it: our own reading, so that what pdfkit means to write is not taken for what is there. */
export interface ReadPdf {
  readonly pages: readonly ReadPage[];
  readonly fonts: readonly ReadFont[];
  /** What the file says of itself, by name. */
  readonly info: Readonly<Record<string, string>>;
}

export interface ReadPage {
  /** In the order in which they are printed, each of one font. */
  readonly texts: readonly string[];
  /** Where they begin, from the lower left corner. */
  readonly places: readonly { readonly x: number; readonly y: number }[];
  /** What is said to be read in place of texts that stand in another order. */
  readonly actual: readonly string[];
}

export interface ReadFont {
  readonly name: string;
  readonly embedded: boolean;
}

interface PdfObject {
  readonly dictionary: string;
  readonly stream: Buffer | undefined;
}

export function readPdf(bytes: Buffer): ReadPdf {
  const objects = readObjects(bytes);
  const all = [...objects.values()];
  const pages = all.filter(({ dictionary }) => /\/Type \/Page\b(?!s)/.test(dictionary));
  const fonts = all.filter(({ dictionary }) => dictionary.includes('/Subtype /Type0'));
  const trailer = bytes.toString('latin1', bytes.lastIndexOf('trailer'));
  return {
    pages: pages.map((page) => readPage(objects, page)),
    fonts: fonts.map((font) => readFont(objects, font)),
    info: readInfo(objects, objects.get(reference(trailer, 'Info'))?.dictionary ?? ''),
  };
}

function readObjects(bytes: Buffer): Map<number, PdfObject> {
  const objects = new Map<number, PdfObject>();
  const text = bytes.toString('latin1');
  const beginning = /(\d+) 0 obj\n/g;
  for (let match = beginning.exec(text); match !== null; match = beginning.exec(text)) {
    const from = match.index + match[0].length;
    const end = text.indexOf('endobj', from);
    const streamAt = text.indexOf('\nstream\n', from);
    const hasStream = streamAt !== -1 && streamAt < end;
    const dictionary = text.slice(from, hasStream ? streamAt : end);
    const length = Number(/\/Length (\d+)/.exec(dictionary)?.[1] ?? 0);
    const start = streamAt + '\nstream\n'.length;
    const raw = hasStream ? bytes.subarray(start, start + length) : undefined;
    const stream = raw && (dictionary.includes('/FlateDecode') ? inflateSync(raw) : raw);
    objects.set(Number(match[1]), { dictionary, stream });
    beginning.lastIndex = hasStream ? start + length : end;
  }
  return objects;
}

const reference = (dictionary: string, name: string): number =>
  Number(new RegExp(`/${name} (\\d+) 0 R`).exec(dictionary)?.[1] ?? NaN);

const readInfo = (objects: ReadonlyMap<number, PdfObject>, dictionary: string): Record<string, string> =>
  Object.fromEntries(
    [...dictionary.matchAll(/\/(\w+) (\d+) 0 R/g)].map(([, name = '', id]) => [
      name,
      stringOf(objects.get(Number(id))?.dictionary.trim() ?? ''),
    ]),
  );

function readFont(objects: ReadonlyMap<number, PdfObject>, { dictionary }: PdfObject): ReadFont {
  const name = /\/BaseFont \/(\S+)/.exec(dictionary)?.[1] ?? '';
  const descendant = objects.get(Number(/\/DescendantFonts \[(\d+) 0 R\]/.exec(dictionary)?.[1]));
  const descriptor = objects.get(reference(descendant?.dictionary ?? '', 'FontDescriptor'));
  const program = /\/FontFile[23] (\d+) 0 R/.exec(descriptor?.dictionary ?? '')?.[1];
  return { name, embedded: (objects.get(Number(program))?.stream?.length ?? 0) > 0 };
}

function readPage(objects: ReadonlyMap<number, PdfObject>, { dictionary }: PdfObject): ReadPage {
  const content = objects.get(reference(dictionary, 'Contents'))?.stream?.toString('latin1') ?? '';
  const resources = objects.get(reference(dictionary, 'Resources'))?.dictionary ?? dictionary;
  const letters = new Map<string, string[]>();
  for (const [, name = '', id] of resources.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
    const font = objects.get(Number(id))?.dictionary ?? '';
    letters.set(name, lettersOf(objects.get(reference(font, 'ToUnicode'))?.stream?.toString('latin1') ?? ''));
  }
  const texts = [...content.matchAll(/\/(F\d+) [\d.]+ Tf[\s\S]*?\[([\s\S]*?)\] TJ/g)].map(
    ([, font = '', shown = '']) =>
      [...shown.matchAll(/<([0-9a-f]+)>/g)]
        .flatMap(([, hex = '']) => hex.match(/.{4}/g) ?? [])
        .map((glyph) => letters.get(font)?.[parseInt(glyph, 16)] ?? '\ufffd')
        .join(''),
  );
  const places = [...content.matchAll(/1 0 0 1 ([-\d.]+) ([-\d.]+) Tm/g)].map(([, x, y]) => ({
    x: Number(x),
    y: Number(y),
  }));
  return {
    texts,
    places,
    actual: [...content.matchAll(/\/ActualText (\((?:\\.|[^\\)])*\)|<[0-9a-f]*>)/g)].map(([, text = '']) =>
      stringOf(text),
    ),
  };
}

/** What each glyph of a font says. */
function lettersOf(map: string): string[] {
  const letters: string[] = [];
  for (const [, first = '', list = ''] of map.matchAll(/<([0-9a-f]+)> <[0-9a-f]+> \[(.*)\]/g))
    [...list.matchAll(/<([0-9a-f ]*)>/g)].forEach(([, units = ''], place) => {
      const codes = units
        .split(' ')
        .filter(Boolean)
        .map((unit) => parseInt(unit, 16));
      letters[parseInt(first, 16) + place] = String.fromCharCode(...codes);
    });
  return letters;
}

/** A literal string, in UTF-16 where it begins with its mark. */
function stringOf(literal: string): string {
  const bytes = Buffer.from(
    literal.slice(1, -1).replaceAll(/\\([nrtbf()\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter),
    'latin1',
  );
  if (bytes[0] !== 0xfe || bytes[1] !== 0xff) return bytes.toString('latin1');
  return Buffer.from(bytes.subarray(2)).swap16().toString('utf16le');
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
