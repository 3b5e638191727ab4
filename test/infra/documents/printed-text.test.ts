import { expect } from 'chai';
import fc from 'fast-check';
import PDFDocument from 'pdfkit';
import { unitsOf } from '#infra/documents/line-breaks.ts';
import { given, printedText } from '#infra/documents/printed-text.ts';
import { STYLES } from '#infra/documents/style.ts';
import { createTypesetter } from '#infra/documents/typesetter.ts';

const piecesOf = (text: string): string[] =>
  printedText(text)
    .pieces(0, text.length)
    .map(({ family, rightToLeft, text: letters }) => `${family}${rightToLeft ? '<' : ''} ${letters}`);

const unitTexts = (text: string): string[] => unitsOf(text).map(({ from, to }) => text.slice(from, to));

const typesetter = createTypesetter(
  new PDFDocument({ autoFirstPage: false, font: null as unknown as string }),
);

describe('a text that is printed', () => {
  it('is cut into pieces of one font and direction, from left to right', () => {
    expect(piecesOf('Acme Ltd, Zürich · Αθήνα')).to.deep.equal(['latin Acme Ltd, Zürich · Αθήνα']);
    expect(piecesOf('Acme 北京 한국')).to.deep.equal(['latin Acme ', 'chinese 北京 ', 'korean 한국']);
    // The font for Hebrew has no brackets; that which opens for a reader from the right looks like one that closes.
    expect(piecesOf('חברה (א) 12')).to.deep.equal([
      'latin 12',
      'latin<  (',
      'hebrew< א',
      'latin< )',
      'hebrew< חברה ',
    ]);
  });

  it('that others gave keeps its direction to itself', () => {
    const line = `${given('שלום')}, 12 ${given('Acme')}`;
    expect(piecesOf(line)).to.deep.equal(['hebrew< שלום', 'latin , 12 Acme']);
    expect(given('\u202eevil\u2066')).to.equal('evil');
  });

  it('is broken after spaces and hyphens, and between letters of scripts without spaces', () => {
    expect(unitTexts('Requests to eu-west/a 10-12')).to.deep.equal([
      'Requests ',
      'to ',
      'eu-',
      'west/',
      'a ',
      '10-12',
    ]);
    expect(unitTexts('请求（每月）。价格 abc')).to.deep.equal([
      '请',
      '求',
      '（每',
      '月）。',
      '价',
      '格 ',
      'abc',
    ]);
  });

  it('fits its lines into the width that they have, and loses no letter', () => {
    const words = fc.stringMatching(
      /^[a-z]{1,40}$|^[א-ת]{1,9}$|^[一-龥]{1,9}$|^[ا-ي]{1,9}$|^\d{1,6}$|^[-/()]{1,3}$/,
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 20 }), fc.integer({ min: 20, max: 300 }), (all, width) => {
        const text = all.join(' ');
        const lines = typesetter.lines(text, STYLES.body, width);
        for (const line of lines) expect(line.width).to.be.at.most(width + 0.01);
        const printed = lines.flatMap(({ pieces }) => pieces.flatMap((piece) => [...piece.text]));
        const sorted = (letters: readonly string[]): string =>
          letters
            .filter((letter) => !/[ ()]/.test(letter))
            .sort()
            .join('');
        expect(sorted(printed)).to.equal(sorted([...text]));
      }),
      { numRuns: 200, seed: 20_260_501 },
    );
  });
});
