import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { total } from '#test/contract/warehouse/rows.ts';
import { openTemporaryWarehouse } from './temporary.ts';

const run = promisify(execFile);
/** In blocks of 1 KiB: enough for the manifest, too little for 20,000 rows. */
const FILE_KIBIBYTES_MAX = 1_024;

describe('an embedded warehouse on a disk that is full', () => {
  it('appends nothing of what does not fit, says why, leaves no file behind, and goes on', async () => {
    const opened = await openTemporaryWarehouse();
    const worker = join(import.meta.dirname, 'full-disk-worker.ts');
    const limited = `ulimit -f ${FILE_KIBIBYTES_MAX}; exec "$0" --disable-warning=ExperimentalWarning "$1" "$2"`;
    const { stdout } = await run('bash', ['-c', limited, process.execPath, worker, opened.directory]);
    expect(JSON.parse(stdout)).to.deep.equal({
      outcomes: ['appended', 'WarehouseUnavailable, EFBIG', 'appended'],
      total: '200',
    });
    expect(await total(opened.warehouse)).to.equal('200');
    expect(await readdir(join(opened.directory, 'segments'))).to.have.length(2);
    await opened.dispose();
  });
});
