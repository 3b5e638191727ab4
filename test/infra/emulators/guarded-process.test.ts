import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startGuarded } from '#infra/emulators/guarded-process.ts';
import { untilReady } from '#infra/emulators/until-ready.ts';
import { startChild } from '#test/support/child-process.ts';
import { eventually } from '#test/support/eventually.ts';

const sh = (script: string) =>
  startGuarded({ program: 'sh', args: () => ['-c', script], environment: process.env });

/** Of the group that it leads: nobody is left of it. */
function groupIsGone(leader: number): boolean {
  try {
    return !process.kill(-leader, 0);
  } catch {
    return true;
  }
}

describe('a guarded process', () => {
  it('ends with its children and its files when its parent is killed', async () => {
    const parent = startChild(join(import.meta.dirname, 'guarded-parent.ts'), []);
    const { pid, directory } = await new Promise<{ pid: number; directory: string }>((resolve) =>
      parent.process.once('message', (said: { pid: number; directory: string }) => resolve(said)),
    );
    expect(groupIsGone(pid)).to.equal(false);
    expect(existsSync(directory)).to.equal(true);
    await parent.kill();
    await eventually('all of it is gone', () => groupIsGone(pid) && !existsSync(directory));
  });

  it('ends with its children and its files when it is stopped', async () => {
    const child = sh('sleep 600 & echo here; wait');
    await eventually('it runs', () => child.output() === 'here\n');
    await child.stop();
    expect(child.hasExited()).to.equal(true);
    expect(existsSync(child.directory)).to.equal(false);
    await eventually('its children are gone', () => groupIsGone(child.pid ?? 0));
    await child.stop();
  });

  it('is ready with what it is asked for', async () => {
    const child = sh('echo port 17; sleep 600');
    const port = await untilReady(child, async () => /port (\d+)/.exec(child.output())?.[1]);
    expect(port).to.equal('17');
    await child.stop();
  });

  it('is not ready when it has ended, and what it said is the reason', async () => {
    const child = sh('echo the port is taken >&2; exit 3');
    const failure = await untilReady(child, async () => undefined).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'it ended: the port is taken');
    expect(existsSync(child.directory)).to.equal(false);
  });

  it('that cannot be started is one that has ended', async () => {
    const child = startGuarded({ program: 'no-such-program-here', args: () => [], environment: process.env });
    const failure = await untilReady(child, async () => undefined).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'it ended: without a word');
  });
});
