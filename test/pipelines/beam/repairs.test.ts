import '#pipelines/beam/compat.ts';
import { expect } from 'chai';
import fc from 'fast-check';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createDataInboxes } from '#pipelines/beam/repairs/data-inboxes.ts';
import type { DataConsumer } from '#pipelines/beam/repairs/data-inboxes.ts';
import { replaceMethod, SdkMoved } from '#pipelines/beam/sdk-moved.ts';
import {
  coders,
  instantOf,
  jsCoders,
  operatorConstructor,
  protobuf,
  standardCoders,
  values,
} from '#pipelines/beam/sdk.ts';
import { inGlobalWindow } from '#pipelines/beam/windowed-value.ts';
import { probeSdk, roundTrip } from './probes.ts';

type Probes = Awaited<ReturnType<typeof probeSdk>>;

async function probeStockSdk(): Promise<Probes> {
  const script = fileURLToPath(new URL('./probes.ts', import.meta.url));
  const args = ['--disable-warning=ExperimentalWarning', script];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as Probes;
}

describe('the repairs of the SDK', () => {
  let stock: Probes;
  let repaired: Probes;
  before(async () => {
    stock = await probeStockSdk();
    repaired = await probeSdk();
  });

  it('keep all 64 bits of an integer (as published: cut to 32)', () => {
    expect([stock.int64, stock.largeElement]).to.deep.equal(['-807049216', '0']);
    expect([repaired.int64, repaired.largeElement]).to.deep.equal(['1700000000000', '1099511627776']);
  });

  it('keep NaN and the infinities (as published: 0)', () => {
    expect([stock.nan, stock.infinity]).to.deep.equal(['0', '0']);
    expect([repaired.nan, repaired.infinity]).to.deep.equal(['NaN', '-Infinity']);
  });

  it('keep bytes inside an element bytes (as published: a BSON wrapper)', () => {
    expect(stock.bytes).to.match(/^Binary/);
    expect(repaired.bytes).to.equal('bytes 0102');
  });

  it('refuse an element that is no plain data (as published: it arrives as something else)', () => {
    expect(stock.instance).to.match(/^Object/);
    expect(repaired.instance).to.equal('TypeError');
  });

  it('say that the only pane is the first, the last and of unknown timing (as published: late and not the last)', () => {
    expect(stock.pane).to.include({ isLast: false, timing: 'LATE' });
    expect(repaired.pane).to.deep.equal({
      isFirst: true,
      isLast: true,
      index: 0,
      onTimeIndex: 0,
      timing: 'UNKNOWN',
    });
  });

  it('keep a U+FEFF at the head of a text (as published: it is dropped)', () => {
    expect([stock.byteOrderMark, repaired.byteOrderMark]).to.deep.equal([4, 5]);
  });

  it('write the same bytes as the SDK for times, windows, panes, groups, bytes and texts', () => {
    expect(repaired.wireBytes).to.equal(stock.wireBytes);
  });

  it('read back what they write of times, windows, panes and groups, and refuse what is cut off', () => {
    const context = coders.Context.needsDelimiters;
    const coder = new standardCoders.FullWindowedValueCoder(
      new standardCoders.LengthPrefixedCoder(new standardCoders.BytesCoder()),
      new standardCoders.IntervalWindowCoder(),
    );
    const times = fc.bigInt(-9_223_372_036_854_775n, 9_223_372_036_854_775n).map(Number);
    fc.assert(
      fc.property(times, fc.uint8Array(), fc.nat(3), (time, value, windows) => {
        const timestamp = instantOf(time) as never;
        const window = new values.IntervalWindow(timestamp, timestamp);
        const { pane } = inGlobalWindow(null);
        const writer = protobuf.Writer.create();
        const element = { value, windows: Array.from({ length: windows }, () => window), pane, timestamp };
        for (let i = 0; i < 2; i++) coder.encode(element, writer, context);
        const bytes = Buffer.from(writer.finish());
        const reader = protobuf.Reader.create(bytes);
        coder.decode(reader, context);
        const read = coder.decode(reader, context);
        expect(reader.pos).to.equal(bytes.length);
        expect(String(read.timestamp)).to.equal(instantOf(time).toString());
        expect(read.windows).to.have.length(windows);
        expect(read.pane).to.deep.equal(pane);
        expect(Buffer.compare(read.value, value)).to.equal(0);
        expect(() => coder.decode(protobuf.Reader.create(bytes.subarray(0, 5)), context)).to.throw(
          RangeError,
        );
      }),
    );
  });

  it('send what one call emits once, also above 1 MB (as published: again with each further element)', () => {
    expect([stock.sinkSentTwice, repaired.sinkSentTwice]).to.deep.equal([true, false]);
  });

  it('count from 0 in each bundle (as published: on from the last)', () => {
    expect([stock.counterAfterReset, repaired.counterAfterReset]).to.deep.equal([6, 1]);
  });

  it('say what a bundle left to do (as published: nothing), and let a runner end it early (as published: unheard)', () => {
    expect(stock.checkpoints).to.deep.equal({ residuals: 0, asked: 0 });
    expect(repaired.checkpoints).to.deep.equal({ residuals: 1, asked: 1 });
  });

  it('round-trip every int64, as a number where that is exact', () => {
    const coder = standardCoders.VarIntCoder.INSTANCE;
    fc.assert(
      fc.property(
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        (value) => roundTrip(coder, value) === value.toString(),
      ),
    );
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => roundTrip(coder, value) === String(value)));
    expect(roundTrip(coder, 2 ** 53)).to.equal('RangeError');
    expect(roundTrip(coder, 2n ** 63n)).to.equal('RangeError');
  });

  it('round-trip every number', () => {
    const coder = new jsCoders.GeneralObjectCoder();
    const text = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
    fc.assert(fc.property(fc.double(), (value) => roundTrip(coder, value) === text(value)));
  });

  it('read a double from where it stands in its message, and refuse one that is cut off', () => {
    const coder = new standardCoders.DoubleCoder();
    const writer = protobuf.Writer.create();
    for (const value of [1.5, -2.25, 1e300]) coder.encode(value, writer);
    const reader = protobuf.Reader.create(writer.finish());
    expect([coder.decode(reader), coder.decode(reader), coder.decode(reader)]).to.deep.equal([
      1.5, -2.25, 1e300,
    ]);
    expect(() => coder.decode(reader)).to.throw(RangeError);
  });

  it('stop the load with the name of an internal that is not where it was', () => {
    const moved = { method: (_a: unknown) => undefined };
    expect(() => replaceMethod(moved, 'method', 2, () => undefined)).to.throw(SdkMoved, 'Object.method');
    expect(() => operatorConstructor('beam:no:such')).to.throw(SdkMoved, 'the operator of beam:no:such');
  });
});

describe('the inboxes of a worker’s data', () => {
  const consumer = (taken: string[], gate: () => Promise<void>): DataConsumer => ({
    sendData: async (data) => {
      await gate();
      taken.push(Buffer.from(data).toString());
    },
    sendTimers: () => Promise.resolve(),
    close: () => void taken.push('end'),
    onError: (error) => void taken.push(String(error)),
  });
  const send = (text: string) => (to: DataConsumer) => to.sendData(Buffer.from(text));

  it('hand over in order what came before and after the consumer, however long each part takes', async () => {
    const inboxes = createDataInboxes();
    const taken: string[] = [];
    const all = [inboxes.deliver('b', 't', send('1'))];
    let turns = 3;
    inboxes.attach(
      'b',
      't',
      consumer(taken, async () => {
        for (turns -= 1; turns > 0; turns -= 1) await Promise.resolve();
      }),
    );
    all.push(
      inboxes.deliver('b', 't', send('2')),
      inboxes.deliver('b', 't', (to) => to.close()),
    );
    await Promise.all(all);
    expect(taken).to.deep.equal(['1', '2', 'end']);
  });

  it('tell the consumer of the first error, once, and hand over nothing more', async () => {
    const inboxes = createDataInboxes();
    const taken: string[] = [];
    inboxes.attach(
      'b',
      't',
      consumer(taken, () => Promise.resolve()),
    );
    const fail = (): never => {
      throw new Error('no');
    };
    await Promise.all([
      inboxes.deliver('b', 't', fail),
      inboxes.deliver('b', 't', send('2')),
      inboxes.deliver('b', 't', fail),
    ]);
    expect(taken).to.deep.equal(['Error: no']);
  });

  it('keep nothing of bundles that have ended, nor of their late data', async () => {
    const inboxes = createDataInboxes();
    const waiting = inboxes.deliver('failed', 't', send('never taken'));
    inboxes.forget('failed');
    await waiting;
    inboxes.attach(
      'done',
      't',
      consumer([], () => Promise.resolve()),
    );
    inboxes.close('done', 't');
    await Promise.all([
      inboxes.deliver('failed', 'u', send('late')),
      inboxes.deliver('done', 't', send('late')),
    ]);
    expect(inboxes.size()).to.equal(0);
  });
});
