/** A string as SQL text; for what cannot be bound, such as the files a query reads. */
export const textLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The order the engine compares strings in is that of their UTF-8 bytes. */
export const byUtf8 = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));

/** A column's name as SQL text, whatever words the engine reserves. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
