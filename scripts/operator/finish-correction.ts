import { v7 as uuidV7 } from 'uuid';
import { readCorrection, type CorrectionName } from '#infra/corrections/corrections.ts';
import { workOnCorrection, type CorrectionStores } from '#infra/corrections/work-on-correction.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { followCorrection, tellCorrection } from './tell-correction.ts';
import type { Terminal } from './terminal.ts';

/** Works on a correction until it has ended, shows how far it is, and tells what became of it. */
export async function finishCorrection(
  { stores, terminal }: { readonly stores: CorrectionStores; readonly terminal: Terminal },
  { namespace, id }: CorrectionName,
): Promise<void> {
  const follow = followCorrection(terminal);
  terminal.note(`correction ${id}\n`);
  await workOnCorrection(stores, {
    ...{ namespace, id, worker: `command-${uuidV7()}`, scheduler: systemScheduler },
    onProgress: follow.update,
  });
  follow.end();
  terminal.out(`${tellCorrection(await readCorrection(stores.database, { namespace, id }))}\n`);
}
