import { readFileSync } from 'node:fs';
import { create, type Font } from 'fontkit';
import { sharedLayout } from './shared-layout.ts';

export const WEIGHTS = ['regular', 'bold'] as const;
export type Weight = (typeof WEIGHTS)[number];

/** In the order in which they are asked for a character: who has it first, writes it. */
const FAMILIES = ['latin', 'arabic', 'hebrew', 'chinese', 'korean'] as const;
export type Family = (typeof FAMILIES)[number];

const packageFile = (name: string, file: string): URL =>
  new URL(`../fonts/${file}`, import.meta.resolve(`@embedpdf/fonts-${name}`));

const FILES: Readonly<Record<Family, Readonly<Record<Weight, URL>>>> = {
  latin: {
    regular: packageFile('latin', 'NotoSans-Regular.ttf'),
    bold: packageFile('latin', 'NotoSans-SemiBold.ttf'),
  },
  arabic: {
    regular: packageFile('arabic', 'NotoNaskhArabic-Regular.ttf'),
    bold: packageFile('arabic', 'NotoNaskhArabic-Bold.ttf'),
  },
  hebrew: {
    regular: packageFile('hebrew', 'NotoSansHebrew-Regular.ttf'),
    bold: packageFile('hebrew', 'NotoSansHebrew-Bold.ttf'),
  },
  chinese: {
    regular: packageFile('sc', 'NotoSansHans-Regular.otf'),
    bold: packageFile('sc', 'NotoSansHans-Bold.otf'),
  },
  korean: {
    regular: packageFile('kr', 'NotoSansKR-Regular.otf'),
    bold: packageFile('kr', 'NotoSansKR-Bold.otf'),
  },
};

/** Read once in a process, each when the first document needs it: together they are some 30 MB. */
const opened = new Map<string, Font>();

export function fontOf(family: Family, weight: Weight): Font {
  const name = fontName(family, weight);
  const known = opened.get(name) ?? sharedLayout(create(readFileSync(FILES[family][weight])));
  opened.set(name, known);
  return known;
}

export const fontName = (family: Family, weight: Weight): string => `${family}-${weight}`;

/** The family that writes a character; undefined where none does. */
export const familyOf = (codePoint: number): Family | undefined =>
  FAMILIES.find((family) => covers(family, codePoint));

export const covers = (family: Family, codePoint: number): boolean =>
  fontOf(family, 'regular').hasGlyphForCodePoint(codePoint);
