import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { textMessage, textOf } from '#test/contract/topic/suite.ts';
import { ACK_DEADLINE_SECONDS, freshTopic } from './fresh-topic.ts';
import type { FreshTopic } from './fresh-topic.ts';

type Said = readonly (readonly [id: string, text: string])[] | 'empty';

const PROGRAM = join(import.meta.dirname, 'topic-process.ts');
const PRODUCER_KILLS = 12;

describe('processes that share an embedded topic', () => {
  let fresh: FreshTopic;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    fresh = await freshTopic();
    await setClock();
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    await fresh.dispose();
  });

  const clockFile = (): string => join(fresh.directory, 'clock');
  const setClock = async (): Promise<void> => {
    // Renamed into place: no process ever reads half a time.
    await writeFile(`${clockFile()}.new`, String(fresh.now()));
    await rename(`${clockFile()}.new`, clockFile());
  };
  const start = (mode: 'produce' | 'consume' | 'acknowledge', name: string): ChildProcess => {
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, mode, fresh.directory, clockFile(), name];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  /** What the child says until there is nothing more to pull, or until it has spoken so often and is killed. */
  const listen = async (child: ChildProcess, lines = Infinity): Promise<Said[]> => {
    const said: Said[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      if (!line.endsWith('.')) break;
      said.push(JSON.parse(line.slice(0, -1)) as Said);
      if (said.length === lines) void kill(child);
      if (said.at(-1) === 'empty') break;
    }
    return said;
  };
  const pairs = (said: readonly Said[]): (readonly [string, string])[] =>
    said.flatMap((one) => (one === 'empty' ? [] : one));

  it('deliver every accepted message whole, however often producers are killed in the middle of their writing', async () => {
    const accepted: (readonly [string, string])[] = [];
    for (let round = 0; round < PRODUCER_KILLS; round += 2) {
      const said = await Promise.all([
        listen(start('produce', `p${round}`), 1 + round),
        listen(start('produce', `q${round}`), 2 + round),
      ]);
      accepted.push(...pairs(said.flat()));
    }
    const topic = await fresh.open();
    const delivered = new Map<string, string>();
    for (let pulled = await topic.pull(1_000); pulled.length > 0; pulled = await topic.pull(1_000)) {
      for (const message of pulled) delivered.set(message.id, textOf(message));
    }
    expect(accepted.length).to.be.above(1_000);
    expect(accepted.filter(([id, text]) => delivered.get(id) !== text)).to.deep.equal([]);
    const torn = Array.from(delivered.values()).filter((text) => !/^[pq]\d+ \d+ \d+ x*$/.test(text));
    expect(torn).to.deep.equal([]);
  });

  it('never get the same message while its lease lasts', async () => {
    const topic = await fresh.open();
    const texts = Array.from({ length: 400 }, (_, i) => `m${i}`);
    for (let i = 0; i < texts.length; i += 50) await topic.publish(texts.slice(i, i + 50).map(textMessage));
    const said = await Promise.all([listen(start('acknowledge', 'one')), listen(start('consume', 'two'))]);
    const got = pairs(said.flat()).map(([, text]) => text);
    expect(got.sort()).to.deep.equal(texts.toSorted());
  });

  it('get what a killed consumer held once its deadline has passed, and not before', async () => {
    const topic = await fresh.open();
    await topic.publish(Array.from({ length: 30 }, (_, i) => textMessage(`m${i}`)));
    const consumer = start('consume', 'dies');
    const held = pairs(await listen(consumer));
    await kill(consumer);
    expect(held).to.have.length(30);
    expect(await topic.pull(100)).to.deep.equal([]);
    fresh.pass(ACK_DEADLINE_SECONDS);
    await setClock();
    const again = await topic.pull(100);
    expect(again.map((message) => message.id).sort()).to.deep.equal(held.map(([id]) => id).sort());
    expect(again.every((message) => message.attempt === 2)).to.be.true;
  });
});
