import { HTTP_BODY_BYTES_MAX } from '#domain/limits.ts';

/** As large as a part that comes in a request, and of so many lines at most as one may have. */
const PART_BYTES = HTTP_BODY_BYTES_MAX;
const PART_LINES = 20_000;
const LINE_FEED = 10;

/** A file in parts of whole lines, however its chunks are cut. */
export async function* partsOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer[] = [];
  let [bytes, lines] = [0, 0];
  for await (const chunk of chunks) {
    let start = 0;
    for (let feed = chunk.indexOf(LINE_FEED); feed !== -1; feed = chunk.indexOf(LINE_FEED, feed + 1)) {
      lines++;
      if (lines < PART_LINES && bytes + feed + 1 - start < PART_BYTES) continue;
      rest.push(chunk.subarray(start, feed + 1));
      yield Buffer.concat(rest);
      [rest, bytes, lines, start] = [[], 0, 0, feed + 1];
    }
    rest.push(chunk.subarray(start));
    bytes += chunk.length - start;
  }
  if (bytes > 0) yield Buffer.concat(rest);
}
