import { open, rename } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openLocal } from '#infra/local/open-local.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { exportNamespace } from '#infra/transfer/export-namespace.ts';
import type { LineCounts } from '#infra/transfer/format.ts';
import { checkNamespace, dataDirectory } from './data-directory.ts';
import { withPartFile } from './part-file.ts';
import { tellLines } from './tell-lines.ts';
import type { Invocation } from './terminal.ts';

export const EXPORT_HELP = `npm run export -- --namespace NAMESPACE --out FILE

Writes a namespace (meters, features, event types, customers, limits and every event that counts) as JSON lines.
Without --out they go to standard output: npm --silent run export -- --namespace NAMESPACE | gzip > FILE.gz
API keys, dead letters, reservations and voided events are not in it. It may be done while the platform runs.
The platform is the one in MILLRACE_DATA_DIR (default: .millrace).`;

/** `npm run export`. A file appears under its name only once it is whole. */
export async function exportCommand({ args, environment, terminal }: Invocation): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      namespace: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return terminal.out(`${EXPORT_HELP}\n`);
  const namespace = checkNamespace(values.namespace);
  const clock = systemScheduler.now;
  const stores = await openLocal({ directory: dataDirectory(environment), clock });
  const bar = terminal.progress('exported');
  try {
    const text = exportNamespace({ ...stores, namespace, now: clock(), onProgress: bar.update });
    const lines = await (values.out === undefined
      ? writeAll(text, terminal.write)
      : writeFile(text, resolve(values.out)));
    bar.end();
    terminal.note(
      `${tellLines(lines)} of ${namespace}${values.out === undefined ? '' : ` in ${values.out}`}\n`,
    );
  } finally {
    await stores.close();
  }
}

type Text = AsyncGenerator<string, LineCounts, undefined>;

async function writeAll(text: Text, write: (text: string) => Promise<void>): Promise<LineCounts> {
  for (;;) {
    const next = await text.next();
    if (next.done === true) return next.value;
    await write(next.value);
  }
}

const writeFile = (text: Text, path: string): Promise<LineCounts> =>
  withPartFile(`${path}.part`, async (part) => {
    const file = await open(part, 'w');
    try {
      const lines = await writeAll(text, async (each) => void (await file.write(each)));
      await file.sync();
      await rename(part, path);
      return lines;
    } finally {
      await file.close();
    }
  });
