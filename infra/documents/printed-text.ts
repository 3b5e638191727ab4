import bidiModule, { type Bidi, type EmbeddingLevels } from 'bidi-js';
import { covers, familyOf, type Family } from './fonts.ts';

/** The module itself is the function, although its types say that it has one. */
const bidi = (bidiModule as unknown as () => Bidi)();

/** Text that one font writes in one direction. Its letters are in the order of reading, whichever the direction is. */
export interface Piece {
  readonly family: Family;
  readonly text: string;
  readonly rightToLeft: boolean;
}

/** A text that can be cut into lines, each into pieces from left to right. */
export interface PrintedText {
  readonly text: string;
  /** What all of it is written in, where its letters need no ordering. */
  readonly plain: boolean;
  pieces(from: number, to: number): Piece[];
}

/** What Noto Sans has, and what no rule of direction or shaping applies to: most text. */
const PLAIN =
  /^[\u0020-\u007e\u00a0-\u00ac\u00ae-\u024f\u2010-\u2015\u2018-\u201e\u2022\u2026\u20ac\u2212]*$/;
/** Marks that change the direction of what follows: a name must not turn round what is printed after it. */
const DIRECTION_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;
// eslint-disable-next-line no-control-regex -- they are what is taken out
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const FIRST_STRONG_ISOLATE = '\u2068';
const POP_ISOLATE = '\u2069';

/** Text that others gave, as a part of a line of ours: its direction is its own, and what it holds cannot reach beyond it. */
export const given = (text: string): string => {
  const said = text.replaceAll(DIRECTION_CONTROLS, '');
  return PLAIN.test(said) ? said : `${FIRST_STRONG_ISOLATE}${said}${POP_ISOLATE}`;
};

export function printedText(written: string): PrintedText {
  const text = written.normalize('NFC').replaceAll(CONTROLS, ' ');
  if (PLAIN.test(text)) return { text, plain: true, pieces: (from, to) => plainPiece(text.slice(from, to)) };
  const levels = bidi.getEmbeddingLevels(text);
  const families = familiesOf(text);
  return { text, plain: false, pieces: (from, to) => orderedPieces({ text, levels, families }, from, to) };
}

const plainPiece = (text: string): Piece[] =>
  text === '' ? [] : [{ family: 'latin', text, rightToLeft: false }];

interface Analysed {
  readonly text: string;
  readonly levels: EmbeddingLevels;
  /** By UTF-16 unit; undefined: it is not printed. */
  readonly families: readonly (Family | undefined)[];
}

/** Says a direction or a joining, and has no shape of its own. */
const INVISIBLE = /^[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff]$/;
/** Goes with what stands before it, if that is written by a font that has it. */
const FOLLOWS = /^[\p{Zs}\p{M}\p{P}\u200c\u200d]$/u;

/** A character that no font has is written as the box that Latin has for it. */
function familiesOf(text: string): (Family | undefined)[] {
  const families: (Family | undefined)[] = [];
  let before: Family | undefined;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const follows = before !== undefined && FOLLOWS.test(character) && covers(before, codePoint);
    const family = follows
      ? before
      : INVISIBLE.test(character)
        ? undefined
        : (familyOf(codePoint) ?? 'latin');
    for (let unit = 0; unit < character.length; unit++) families.push(family);
    before = family ?? before;
  }
  return families;
}

/** The pieces of a line, [from, to), from left to right. */
function orderedPieces({ text, levels, families }: Analysed, from: number, to: number): Piece[] {
  if (from >= to) return [];
  const order = Array.from({ length: to - from }, (_, place) => from + place);
  for (const [first = 0, last = 0] of bidi.getReorderSegments(text, levels, from, to - 1))
    order.splice(first - from, last - first + 1, ...order.slice(first - from, last - from + 1).reverse());
  const runs: { level: number; family: Family; places: number[] }[] = [];
  for (const place of order) {
    const [family, level = 0] = [families[place], levels.levels[place]];
    if (family === undefined) continue;
    const run = runs.at(-1);
    if (run?.family === family && run.level === level) run.places.push(place);
    else runs.push({ level, family, places: [place] });
  }
  return runs.map(({ level, family, places }) => {
    const rightToLeft = level % 2 === 1;
    const logical = rightToLeft ? places.toReversed() : places;
    return { family, rightToLeft, text: rightToLeft ? mirrored(text, logical) : lettersAt(text, logical) };
  });
}

const lettersAt = (text: string, places: readonly number[]): string =>
  places.map((place) => text[place] ?? '').join('');

/** An opening bracket that is read from the right looks like a closing one. What has no direction of its own would be laid out from the left. */
function mirrored(text: string, places: readonly number[]): string {
  const letters = places.map((place) => {
    const letter = text[place] ?? '';
    return bidi.getMirroredCharacter(letter) ?? letter;
  });
  const joined = letters.join('');
  return RIGHT_TO_LEFT_LETTER.test(joined) ? joined : Array.from(joined).reverse().join('');
}

const RIGHT_TO_LEFT_LETTER = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
