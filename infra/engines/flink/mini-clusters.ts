import { open } from 'node:fs/promises';
import { refusesAt } from '#infra/emulators/loopback.ts';
import { flinkRest, type FlinkRest } from './rest.ts';

/** `Rest endpoint listening at localhost:38123`, as Flink's log has it. */
const ADDRESS = /Rest endpoint listening at ([\w.-]+:\d+)/g;
const CHUNK_BYTES = 65_536;

/**
 * The REST interfaces of the mini clusters of a job server that still answer, the newest first: each job has one of its own, on a port that only the
 * output tells. What was read of it is not read again, since the workers write there too.
 */
export function miniClusters(outputPath: string): () => Promise<readonly FlinkRest[]> {
  const addresses = new Set<string>();
  const readOn = addressesIn(outputPath);
  return async () => {
    for (const address of await readOn()) addresses.add(address);
    // One that has gone will not come back, but its port may, as somebody else's. One that is only slow has not gone, nor have its jobs.
    for (const address of addresses) if (await refusesAt(address)) addresses.delete(address);
    return [...addresses].reverse().map((address) => flinkRest(`http://${address}`));
  };
}

/** What was added to the file since the last call. Who asks while another reads gets what that one reads: two that went on from one place would skip as much again. */
function addressesIn(path: string): () => Promise<readonly string[]> {
  let readTo = 0;
  let reading: Promise<readonly string[]> | undefined;
  const read = async (): Promise<readonly string[]> => {
    const file = await open(path);
    const found: string[] = [];
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, readTo);
        const text = buffer.toString('latin1', 0, bytesRead);
        // A chunk may end inside a line: the next begins with that line again, unless it is longer than a chunk.
        const whole = text.slice(0, text.lastIndexOf('\n') + 1);
        for (const [, address = ''] of whole.matchAll(ADDRESS)) found.push(address);
        readTo += whole === '' && bytesRead === CHUNK_BYTES ? bytesRead : whole.length;
        if (bytesRead < CHUNK_BYTES) return found;
      }
    } finally {
      await file.close();
    }
  };
  return () => (reading ??= read().finally(() => (reading = undefined)));
}
