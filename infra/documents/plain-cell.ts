/** What spreadsheets take for the beginning of a formula, in full width too, and white space that they skip before one. */
const FORMULA_START = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** Text that others gave, as a cell of CSV: a leading apostrophe keeps a spreadsheet from running it. */
export const plainCell = (text: string): string => (FORMULA_START.test(text) ? `'${text}` : text);
