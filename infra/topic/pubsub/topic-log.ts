/** Where a topic says what went wrong and mends itself. */
export interface TopicLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Where nobody listens: as a warning of the process, so that nothing is hidden. */
export const processWarnings: TopicLog = {
  info: () => undefined,
  warn: (fields, message) => {
    const { err } = fields as { readonly err?: unknown };
    process.emitWarning(err instanceof Error ? `${message}: ${err.message}` : message, 'TopicWarning');
  },
};
