import { expect } from 'chai';
import fc from 'fast-check';
import type { Writer } from 'protobufjs';
import { createByteSink } from '#pipelines/beam/byte-sink.ts';
import type { ByteSink } from '#pipelines/beam/byte-sink.ts';
import { buildGraph, apply } from '#pipelines/beam/graph.ts';
import { groupByKey } from '#pipelines/beam/grouping.ts';
import type { Keyed } from '#pipelines/beam/grouping.ts';
import { coders, protobuf } from '#pipelines/beam/sdk.ts';
import type { PCollection } from '#pipelines/beam/sdk.ts';
import { syncParDo } from '#pipelines/beam/sync-do-fn.ts';
import { fromWire, keyedCoder, toWire, wireCoder, withCoder } from '#pipelines/beam/wire-coder.ts';
import { createWireReader } from '#pipelines/beam/wire-reader.ts';
import { readTexts, writeTexts } from '#pipelines/beam/wire-text.ts';
import { Repeat } from './stages.ts';

const { needsDelimiters, wholeStream } = coders.Context;

const count = wireCoder<number>('test-count', {
  write: (value, to) => to.varint(value),
  read: (from) => from.varint(),
});

/** Any 16-bit units, also halves of pairs. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
const texts = fc.array(fc.option(fc.oneof(fc.string(), anyText)));

type Step = readonly [method: string, value: unknown];
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant('uint32'), fc.nat(0xffff_ffff)),
  fc.tuple(fc.constant('int32'), fc.integer()),
  fc.tuple(fc.constant('int64'), fc.maxSafeInteger()),
  fc.tuple(fc.constant('fixed32'), fc.integer()),
  fc.tuple(fc.constant('bool'), fc.boolean()),
  fc.tuple(fc.constant('bytes'), fc.uint8Array({ maxLength: 300 })),
  fc.tuple(fc.constant('string'), fc.string({ unit: 'grapheme', maxLength: 300 })),
  fc.tuple(fc.constant('fork'), fc.constant(undefined)),
  fc.tuple(fc.constant('ldelim'), fc.constant(undefined)),
);

/** The bytes of the steps; forks that are open at the end are closed. */
function bytesOf(writer: Writer, all: readonly Step[]): string {
  let open = 0;
  for (const [method, value] of all) {
    if (method === 'ldelim' && open === 0) continue;
    open += method === 'fork' ? 1 : method === 'ldelim' ? -1 : 0;
    (writer as unknown as Record<string, (value: unknown) => void>)[method]?.(value);
  }
  while (open-- > 0) writer.ldelim();
  return Buffer.from(writer.finish()).toString('hex');
}

describe('the byte sink', () => {
  it('writes what the SDK’s writer writes, whatever it is asked for', () => {
    fc.assert(
      fc.property(fc.array(steps), fc.nat(40), (all, room) => {
        const sink = createByteSink(room) as unknown as Writer;
        expect(bytesOf(sink, all)).to.equal(bytesOf(protobuf.Writer.create(), all));
      }),
    );
  });

  it('hands over what was written, and never writes into it again', () => {
    const sink = createByteSink();
    sink.raw(Buffer.from('first'));
    const first = sink.finish();
    sink.raw(Buffer.from('other'));
    expect([first.toString(), sink.finish().toString(), sink.len]).to.deep.equal(['first', 'other', 0]);
  });

  it('writes every safe integer that is not negative, and refuses the others', () => {
    const sink = createByteSink();
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        sink.varint(value);
        expect(createWireReader(sink.finish()).varint()).to.equal(value);
      }),
    );
    expect(() => sink.varint(-1)).to.throw(RangeError);
    expect(() => sink.varint(NaN)).to.throw(RangeError);
  });
});

describe('texts on the wire', () => {
  it('come back as they were, also those that are no valid Unicode', () => {
    fc.assert(
      fc.property(texts, (all) => {
        const sink = createByteSink();
        writeTexts(all, sink);
        expect(readTexts(createWireReader(sink.finish()))).to.deep.equal(all);
      }),
    );
  });

  it('are refused when they are cut off', () => {
    const sink = createByteSink();
    writeTexts(['a text', null, 'ö'], sink);
    const bytes = sink.finish();
    for (let length = 0; length < bytes.length; length++)
      expect(() => readTexts(createWireReader(bytes, 0, length))).to.throw(RangeError);
  });
});

describe('a wire coder', () => {
  it('round-trips in both contexts, in the SDK’s writer and in the byte sink', () => {
    for (const writer of [protobuf.Writer.create(), createByteSink() as unknown as Writer]) {
      for (const value of [0, 300, 2 ** 40]) count.encode(value, writer, needsDelimiters);
      count.encode(7, writer, wholeStream);
      const reader = protobuf.Reader.create(Buffer.from(writer.finish()));
      const read = [0, 1, 2].map(() => count.decode(reader, needsDelimiters));
      expect([...read, count.decode(reader, wholeStream)]).to.deep.equal([0, 300, 2 ** 40, 7]);
    }
  });

  it('refuses an element that is cut off or longer than what was read of it', () => {
    const bytes = toWire(count, 300);
    expect(fromWire(count, bytes)).to.equal(300);
    expect(() => fromWire(count, bytes.subarray(0, 1))).to.throw(RangeError, 'too early');
    expect(() => fromWire(count, Buffer.concat([bytes, bytes]))).to.throw(RangeError, 'longer');
    expect(() => count.decode(protobuf.Reader.create(Buffer.from([9, 1])), needsDelimiters)).to.throw(
      RangeError,
    );
  });

  it('has a name of its own', () => {
    const format = { write: (_value: number, _to: ByteSink) => undefined, read: () => 0 };
    expect(() => wireCoder('test-count', format)).to.throw('registered already');
    expect(() => wireCoder('No Name', format)).to.throw('is no name');
  });

  it('is in the pipeline as one that runners do not know, inside pairs and lists that they do', () => {
    const { proto } = buildGraph<number>((source) => {
      const keyed = withCoder(syncParDo(new Repeat(1)), keyedCoder(count) as never);
      const pairs = apply('key', source, keyed) as unknown as PCollection<Keyed<number>>;
      apply('group', pairs, groupByKey<number>());
    });
    const { coders: all = {}, pcollections = {}, transforms = {} } = proto.components ?? {};
    const urns = (id: string): unknown => {
      const { spec, componentCoderIds = [] } = all[id] ?? {};
      return [spec?.urn, ...componentCoderIds.map(urns)];
    };
    const outputOf = (urn: string): string => {
      const found = Object.values(transforms).find(({ spec }) => spec?.urn === urn);
      return pcollections[Object.values(found?.outputs ?? {})[0] ?? '']?.coderId ?? '';
    };
    const value = ['millrace:coder:test-count:v1'];
    const text = ['beam:coder:string_utf8:v1'];
    expect(urns(outputOf('beam:transform:pardo:v1'))).to.deep.equal(['beam:coder:kv:v1', text, value]);
    expect(urns(outputOf('beam:transform:group_by_key:v1'))).to.deep.equal([
      'beam:coder:kv:v1',
      text,
      ['beam:coder:iterable:v1', value],
    ]);
  });
});
