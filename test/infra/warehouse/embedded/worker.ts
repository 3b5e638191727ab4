import { eventRow } from '#test/contract/warehouse/rows.ts';
import { openWarehouseIn } from './temporary.ts';

/*
 * A process of its own over a warehouse that others use, too: `append <name>` writes batch after batch, `compact` merges and sweeps
 * again and again. Before and after each step it says so, until the parent says stop or kills it.
 */

export const BATCH_ROWS = 40;

/** What a worker tells its parent. */
export interface Progress {
  readonly step: 'begins' | 'done';
  readonly number: number;
}

const batch = (name: string, number: number) =>
  Array.from({ length: BATCH_ROWS }, (_, index) =>
    eventRow(`${name}/${number}/${index}`, { subject: name, data: '{"tokens":1}' }),
  );

const tell = (progress: Progress): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(progress, undefined, {}, () => resolve());
  });

async function main(role: string, directory: string, name: string): Promise<void> {
  const { warehouse, close } = await openWarehouseIn(directory);
  let stopping = false;
  for (const event of ['message', 'disconnect']) process.once(event, () => (stopping = true));
  for (let number = 0; !stopping; number++) {
    await tell({ step: 'begins', number });
    if (role === 'append') await warehouse.appendEvents(batch(name, number));
    else {
      await warehouse.compact();
      await warehouse.sweep();
    }
    await tell({ step: 'done', number });
  }
  await close();
  if (process.connected) process.disconnect();
}

const [role, directory, name = ''] = process.argv.slice(2);
if (process.send !== undefined && role !== undefined && directory !== undefined)
  await main(role, directory, name);
