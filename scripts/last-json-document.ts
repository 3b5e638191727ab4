/**
 * The JSON document that a run prints last, after its readable text. It may stand on one line or on many; undefined when there is none.
 */
export function lastJsonDocument(output: string): unknown {
  const lines = output.trimEnd().split('\n');
  // From the front: the first line from which everything to the end is one document begins the whole of it.
  for (const [at, line] of lines.entries()) {
    if (!line.startsWith('{')) continue;
    try {
      return JSON.parse(lines.slice(at).join('\n')) as unknown;
    } catch {
      // Text that only looked like the beginning of the document.
    }
  }
  return undefined;
}
