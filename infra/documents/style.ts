import type { TextStyle } from './typesetter.ts';

/** A4 in points, with what stays free around everything. */
export const PAGE = { width: 595.28, height: 841.89, left: 50, right: 545.28, top: 50, bottom: 780 } as const;
/** Where the line below all else begins. */
export const FOOTER_BASELINE = 808;

const INK = '#1c2733';
const SOFT = '#66727f';
export const RULE = '#d4dae0';
export const STRONG_RULE = '#1c2733';
export const ACCENT = '#1f5f7a';
const ALERT = '#a3322b';

const style = (size: number, weight: TextStyle['weight'], colour: string): TextStyle => ({
  size,
  weight,
  colour,
});

export const STYLES = {
  title: style(20, 'regular', ACCENT),
  name: style(12, 'bold', INK),
  heading: style(10, 'bold', ACCENT),
  label: style(7.5, 'regular', SOFT),
  body: style(8.5, 'regular', INK),
  strong: style(8.5, 'bold', INK),
  small: style(7.5, 'regular', SOFT),
  tiny: style(6.5, 'regular', SOFT),
  total: style(11, 'bold', INK),
  state: style(10, 'bold', ALERT),
} as const satisfies Readonly<Record<string, TextStyle>>;

/** From one baseline to the next. */
export const leadingOf = ({ size }: TextStyle): number => size * 1.38;

/** What is printed across each page of a document that nobody has to pay. */
export const MARK = { size: 110, void: '#f6e3e1', pending: '#e9eef2' } as const;
