import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { memoryOf, tellingOptions } from '#bench/worker-memory.ts';

const PROGRAM = `globalThis.held = Buffer.alloc(50_000_000, 1); process.stdin.resume(); console.log('up');`;

describe('what a process tells of its memory', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace memory & so on '));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const memoryOfProgram = async (options: string | undefined) => {
    const environment = { ...process.env, NODE_OPTIONS: options };
    const child = spawn(process.execPath, ['-e', PROGRAM], {
      env: environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      return await memoryOf(child.pid ?? 0, folder);
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  };

  it('is beside what the system sees, of which it is a part', async () => {
    const memory = await memoryOfProgram(tellingOptions(folder));
    const { residentBytes, anonymousBytes, heapUsedBytes = 0, heapBytes = 0, externalBytes = 0 } = memory;
    expect(residentBytes).to.be.above(anonymousBytes);
    expect(anonymousBytes).to.be.above(50_000_000);
    expect(heapBytes).to.be.above(heapUsedBytes);
    expect(heapUsedBytes).to.be.above(0);
    expect(memory.nativeBytes).to.equal(anonymousBytes - heapBytes - externalBytes);
  });

  it('is missing of a process that was not asked to tell', async () => {
    const memory = await memoryOfProgram(undefined);
    expect(memory).to.have.all.keys('pid', 'residentBytes', 'anonymousBytes');
  });
});
