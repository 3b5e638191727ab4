/** A view over the tables of a dataset. */
export interface ViewDefinition {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
  /** Shows what the catalogue has; what it shows is not to be taken back by someone who does not know the catalogue. */
  readonly fromCatalogue?: boolean;
}

/** Raised with every change of what a view shows, so that an older release does not take it back. */
export const VIEWS_VERSION = 1;

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\n': '\\n', '\r': '\\r' };

/** A string as SQL text; only for what a view is made of, where nothing can be bound. */
export const textLiteral = (text: string): string =>
  `'${text.replace(/[\\'\n\r]/g, (character) => ESCAPED[character] ?? '')}'`;
