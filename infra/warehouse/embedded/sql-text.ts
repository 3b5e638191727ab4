/** A string as SQL text; for what cannot be bound, such as the files a query reads. */
export const textLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A column's name as SQL text, whatever words the engine reserves. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
