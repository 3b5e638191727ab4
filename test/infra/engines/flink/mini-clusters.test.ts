import { expect } from 'chai';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { miniClusters } from '#infra/engines/flink/mini-clusters.ts';

/** Longer than an answer is waited for. */
const BUSY_MS = 1_200;

describe('the mini clusters of a job server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-mini-'));
  const servers: Server[] = [];
  const listening = async (): Promise<string> => {
    const server = createServer((socket) => void socket.destroy()).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  after(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are known by its output, the newest first, however it is cut and whatever else is in it, until they have gone', async () => {
    const path = join(folder, 'output');
    const [first, second] = [await listening(), await listening()];
    const line = (address: string): string => `INFO Rest endpoint listening at ${address}\n`;
    writeFileSync(
      path,
      `${'a worker says something\n'.repeat(10_000)}${line(first)}${'x'.repeat(200_000)}\n`,
    );
    const clusters = miniClusters(path);
    const addresses = async (): Promise<string[]> => (await clusters()).map(({ address }) => address);
    expect(await addresses()).to.deep.equal([`http://${first}`]);
    appendFileSync(path, line(second).slice(0, -2));
    expect(await addresses()).to.have.length(1);
    appendFileSync(path, line(second).slice(-2));
    expect(await addresses()).to.deep.equal([`http://${second}`, `http://${first}`]);
    servers[0]!.close();
    await once(servers[0]!, 'close');
    expect(await addresses()).to.deep.equal([`http://${second}`]);
  });

  it('are known also when several had asked at once before the line was written', async () => {
    const path = join(folder, 'output-of-several');
    const address = await listening();
    writeFileSync(path, 'INFO Starting rest endpoint.\n'.repeat(10));
    const clusters = miniClusters(path);
    await Promise.all([clusters(), clusters(), clusters()]);
    appendFileSync(path, `INFO Rest endpoint listening at ${address}\n`);
    expect((await clusters()).map((each) => each.address)).to.deep.equal([`http://${address}`]);
  });

  it('have not gone when this process is too busy to hear their answers in time', async () => {
    const path = join(folder, 'busy-output');
    const address = await listening();
    writeFileSync(path, `INFO Rest endpoint listening at ${address}\n`);
    const clusters = miniClusters(path);
    const isNeverWoken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    let isOver = false;
    // Between two looks at the sockets, so that the timer of an answer ends before the answer is heard.
    const keepBusy = (): void => {
      Atomics.wait(isNeverWoken, 0, 0, BUSY_MS);
      if (!isOver) setImmediate(keepBusy);
    };
    setImmediate(keepBusy);
    const found = await clusters().finally(() => (isOver = true));
    expect(found.map((each) => each.address)).to.deep.equal([`http://${address}`]);
  });
});
