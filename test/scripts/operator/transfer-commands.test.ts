import { expect } from 'chai';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { inLocalDirectory, openStores } from '#test/support/local-stores.ts';
import { eventText, fileText, METER } from '../../infra/transfer/written-file.ts';
import { exportCommand } from '../../../scripts/operator/export-command.ts';
import { importCommand } from '../../../scripts/operator/import-command.ts';
import { invocation } from './recorded-terminal.ts';

const now = systemScheduler.now();
const TEXT = fileText([METER, eventText('e-1', now), eventText('e-2', now)]);
const WITH_OLD = fileText([METER, eventText('e-1', now), eventText('e-2', now - 50 * MICROS_PER_DAY)]);

/** What a command says when it is well, and when it is not. */
async function said(
  command: typeof importCommand,
  directory: string,
  args: string[],
  input = '',
): Promise<string> {
  const called = invocation(directory, args, input);
  try {
    await command(called);
    return called.terminal.noted();
  } catch (error) {
    return `${called.terminal.noted()}${String(error)}`;
  }
}

const inDataDirectory = (test: (directory: string) => Promise<void>): Promise<void> =>
  inLocalDirectory(async (directory) => {
    await (await openStores(directory)).close();
    await test(directory);
  });

describe('npm run import and export', () => {
  it('bring a namespace in from standard input and out to a file, with nothing left lying about', () =>
    inDataDirectory(async (directory) => {
      const first = await said(importCommand, directory, ['--namespace', 'shop'], TEXT);
      expect(first).to.include('The file is whole: 1 meter version, 2 events of default');
      expect(first).to.include('2 events count in shop; 2 of them came with this run');
      const out = join(directory, 'shop.jsonl');
      expect(await said(exportCommand, directory, ['--namespace', 'shop', '--out', out])).to.equal(
        `1 meter version, 2 events of shop in ${out}\n`,
      );
      expect(readdirSync(directory).filter((name) => name.includes('part'))).to.deep.equal([]);
      const again = await said(importCommand, directory, ['--namespace', 'shop', '--in', out]);
      expect(again).to.include('2 events count in shop; 0 of them came with this run');
      const piped = invocation(directory, ['--namespace', 'shop']);
      await exportCommand(piped);
      const events = (text: string) => text.split('\n').filter((line) => line.startsWith('{"kind":"event"'));
      expect(events(piped.terminal.written())).to.deep.equal(events(await readFile(out, 'utf8')));
    }));

  it('import nothing of a file with events that are too old, unless they are to be skipped', () =>
    inDataDirectory(async (directory) => {
      const refused = await said(importCommand, directory, ['--namespace', 'shop'], WITH_OLD);
      expect(refused).to.include('1 of 2 events happened before').and.to.include('Nothing was changed');
      const skipped = await said(
        importCommand,
        directory,
        ['--namespace', 'shop', '--skip-too-old'],
        WITH_OLD,
      );
      expect(skipped).to.include(
        '1 events count in shop; 1 of them came with this run; 1 were too old and skipped',
      );
    }));

  it('change nothing where the file is damaged', () =>
    inDataDirectory(async (directory) => {
      const refused = await said(
        importCommand,
        directory,
        ['--namespace', 'shop'],
        TEXT.replace('e-1', 'e-3'),
      );
      expect(refused).to.include('line 5: the file is not as it was written');
      const out = join(directory, 'shop.jsonl');
      expect(await said(exportCommand, directory, ['--namespace', 'shop', '--out', out])).to.include(
        '0 events of shop',
      );
    }));

  it('overwrite nothing that is there and says something else', () =>
    inDataDirectory(async (directory) => {
      await said(importCommand, directory, ['--namespace', 'shop'], TEXT);
      const otherMeter = { ...METER, definition: { ...METER.definition, eventType: 'another' } };
      expect(
        await said(importCommand, directory, ['--namespace', 'shop'], fileText([otherMeter])),
      ).to.include('the namespace shop has another version 1 of the meter calls');
      const otherEvent = eventText('e-1', now - MICROS_PER_DAY);
      expect(
        await said(importCommand, directory, ['--namespace', 'shop'], fileText([METER, otherEvent])),
      ).to.include('line 3: the namespace has an event of this source and id that says something else');
    }));

  it('say what is wrong with how they were called, and make no file', () =>
    inDataDirectory(async (directory) => {
      expect(await said(exportCommand, directory, [])).to.include('--namespace is missing');
      expect(await said(importCommand, directory, ['--namespace', 'A'])).to.include('does not match');
      expect(
        await said(importCommand, directory, ['--namespace', 'a', '--in', join(directory, 'none')]),
      ).to.include('ENOENT');
      const out = join(directory, 'no', 'where');
      expect(await said(exportCommand, directory, ['--namespace', 'a', '--out', out])).to.include('ENOENT');
      expect(existsSync(out)).to.equal(false);
    }));
});
