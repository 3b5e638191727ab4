import { expect } from 'chai';
import { MICROS_PER_DAY } from '#domain/instant.ts';
import { systemScheduler } from '#infra/scheduler.ts';
import { checkExport, type CheckedExport } from '#infra/transfer/check-export.ts';
import { noLines } from '#infra/transfer/format.ts';
import { inLocalDirectory } from '#test/support/local-stores.ts';
import { eventText, fileText, HEADER, METER, writtenFile } from './written-file.ts';

const now = systemScheduler.now();
const check = async (text: string | Uint8Array): Promise<CheckedExport> => {
  let checked: CheckedExport | undefined;
  await inLocalDirectory(async (directory) => {
    checked = await checkExport(await writtenFile(directory, text), { namespace: 'other', now });
  });
  return checked!;
};
const faultOf = (text: string | Uint8Array): Promise<string> =>
  check(text).then(
    () => 'nothing is wrong with it',
    (error: unknown) => String(error),
  );

const EVENT = eventText('e-1', now);

describe('a file that is to be imported', () => {
  it('is known to its last line', async () => {
    const old = eventText('e-2', now - 46 * MICROS_PER_DAY);
    const { lines, tooOld, epochs, header } = await check(fileText([METER, EVENT, old]));
    expect({ lines, tooOld, from: header.namespace }).to.deep.equal({
      lines: { ...noLines(), meter: 1, event: 2 },
      tooOld: 1,
      from: 'default',
    });
    expect(epochs.map(({ since, events }) => [since, events])).to.deep.equal([
      [0, 0],
      [1, 2],
    ]);
  });

  it('may have no event and nothing else', async () => {
    expect((await check(fileText([]))).lines.event).to.equal(0);
  });

  it('tells apart the events that other meters counted', async () => {
    const later = { ...METER, key: 'later', since: 5, until: 9 };
    const events = [0, 1, 4, 5, 8, 9, 70].map((version, i) => eventText(`e-${i}`, now, version));
    const { epochs } = await check(fileText([METER, later, ...events]));
    expect(epochs.map(({ since, events: count }) => [since, count])).to.deep.equal([
      [0, 1],
      [1, 2],
      [5, 2],
      [9, 2],
    ]);
  });

  it('is refused where it was cut or changed, wherever that is', async () => {
    const text = fileText([METER, EVENT]);
    for (let end = 0; end < text.length - 1; end += 37)
      expect(await faultOf(text.slice(0, end)), `cut at ${end}`).to.match(
        /^TransferError: (?:line \d+: |the file is cut)/,
      );
    const changed = [
      [text.replace('"id":"e-1"', '"id":"e-2"'), 'line 4: the file is not as it was written'],
      [text.replace(`${EVENT}\n`, ''), 'line 3: the file had 1 of event, now 0'],
      [text.replace(EVENT, `${EVENT}\n${EVENT}`), 'line 5: the file had 1 of event, now 2'],
      [`${text}{"kind":"trailer"}\n`, 'line 5: comes after the end'],
    ] as const;
    for (const [each, fault] of changed) expect(await faultOf(each)).to.include(fault);
  });

  it('is refused where a line cannot be understood, and says which', async () => {
    const bad: [string, string][] = [
      [fileText([METER, 'no json']), 'line 3: is no JSON'],
      [fileText([METER, { kind: 'plan' }]), 'line 3: '],
      [fileText([EVENT, METER]), 'line 3: a meter comes before the events'],
      [fileText([{ ...METER, more: 1 }]), 'line 2: '],
      [fileText([METER, METER]), 'line 3: the meter calls: version 1 is there twice'],
      [
        fileText([METER, { ...METER, version: 2 }]),
        'line 3: the meter calls: two of its versions are active',
      ],
      [fileText([{ ...METER, until: 1 }]), 'line 2: the meter calls: it ends before it begins'],
      [
        fileText([{ ...METER, definition: { ...METER.definition, filter: 'data.' } }]),
        'line 2: the meter calls: ',
      ],
      [fileText([EVENT.replace('"specversion":"1.0"', '"specversion":"0.3"')]), 'line 2: attribute_invalid'],
      [fileText([EVENT.replace('"data":null', '"data":')]), 'line 2: malformed_json'],
      [
        fileText([EVENT.replace('"catalogueVersion":1', '"catalogueVersion":-1')]),
        'line 2: is not written as an event is',
      ],
      [fileText([], { ...HEADER, version: HEADER.version + 1 }), 'line 1: '],
      [fileText([], { ...HEADER, format: 'other' }), 'line 1: '],
    ];
    for (const [text, fault] of bad) expect(await faultOf(text)).to.include(`TransferError: ${fault}`);
  });

  it('is refused where its bytes are no UTF-8', async () => {
    const bytes = Buffer.from(fileText([METER, EVENT]));
    bytes[bytes.indexOf('acme')] = 0xff;
    expect(await faultOf(bytes)).to.equal('TransferError: line 3: is no UTF-8');
  });

  it('is refused where it is something else altogether', async () => {
    for (const text of ['', '\n', '> millrace@0.1.0 export\n', '\u0000', 'x'.repeat(5_000_000)])
      expect(await faultOf(text)).to.match(/^TransferError: /);
  });
});
