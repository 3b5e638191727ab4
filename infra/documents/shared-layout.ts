import type { Font, Glyph, GlyphPosition, GlyphRun } from 'fontkit';

/** Words whose layout is kept, for each font; names and amounts come and go, labels stay. */
const WORDS_KEPT = 5_000;
/** Longer texts are seldom the same again. */
const WORD_LENGTH_MAX = 32;

interface LaidOut {
  readonly glyphs: readonly Glyph[];
  readonly positions: readonly GlyphPosition[];
}

/**
 * A font that many documents share, and that remembers how words are laid out: shaping is most of the work of printing. What it answers
 * depends on the text alone. A glyph of fontkit remembers the first text that it was laid out for, and would carry what one document says into
 * the bytes of another, so each layout begins without glyphs.
 */
export function sharedLayout(font: Font): Font {
  const kept = new Map<string, LaidOut>();
  const shaper = Object.create(font, { _glyphs: { value: {}, writable: true } }) as Font & {
    _glyphs: object;
  };

  const layOut = (text: string): LaidOut => {
    shaper._glyphs = {};
    const { glyphs, positions } = shaper.layout(text);
    return {
      glyphs: glyphs.map(({ id, codePoints, advanceWidth }) => ({ id, codePoints, advanceWidth })),
      positions: positions.map((position) => ({ ...position })),
    };
  };

  const remembered = (text: string): LaidOut => {
    if (text.length > WORD_LENGTH_MAX) return layOut(text);
    const known = kept.get(text) ?? layOut(text);
    // What was used last stands last, so that the first one is what has been out of use for longest.
    kept.delete(text);
    kept.set(text, known);
    const [oldest] = kept.size > WORDS_KEPT ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    return known;
  };

  return Object.create(font, { layout: { value: (text: string) => runOf(remembered(text)) } }) as Font;
}

/** Its own copy for whoever asked: pdfkit turns positions into its own units in place. */
function runOf({ glyphs, positions }: LaidOut): GlyphRun {
  const own = positions.map((position) => ({ ...position }));
  return {
    glyphs,
    positions: own,
    get advanceWidth() {
      return own.reduce((sum, { xAdvance }) => sum + xAdvance, 0);
    },
  };
}
