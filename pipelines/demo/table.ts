/** Rows of cells in columns: the first to the left, all others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => `    ${row.map(pad).join('  ')}`);
}

export const grouped = (value: number | bigint): string => value.toLocaleString('en-US');

const DECIMALS_MAX = 100;

/** Plain decimal text as people read it, every digit kept: `1234.5` at 2 decimals or more is `1,234.50`. */
export const groupedText = (text: string, decimals = 0): string =>
  new Intl.NumberFormat('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: DECIMALS_MAX,
  }).format(text as Intl.StringNumericLiteral);
