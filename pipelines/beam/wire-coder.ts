import './compat.ts';
import type { Writer } from 'protobufjs';
import { createByteSink } from './byte-sink.ts';
import type { ByteSink } from './byte-sink.ts';
import type { Keyed } from './grouping.ts';
import { beam, coders, protobuf, standardCoders, transforms } from './sdk.ts';
import type { ElementCoder, PCollection, Transform } from './sdk.ts';
import { createWireReader } from './wire-reader.ts';
import type { WireReader } from './wire-reader.ts';

export type { ByteSink as WireWriter } from './byte-sink.ts';
export type { WireReader } from './wire-reader.ts';
export type { ElementCoder } from './sdk.ts';

/** How elements of one type of plain data are written and read. What `write` wrote, `read` reads to its last byte. */
export interface WireFormat<T> {
  write(value: T, to: ByteSink): void;
  read(from: WireReader): T;
}

const WHOLE_STREAM: string = coders.Context.wholeStream;
const NAME = /^[a-z][a-z0-9-]*$/;
const names = new Set<string>();

/** The bytes that `write` puts into a writer of the SDK: only what runs inside a worker has a byte sink. */
const inSink = (writer: Writer | ByteSink): ByteSink | undefined =>
  'reserve' in writer ? writer : undefined;

function writeDelimited<T>(format: WireFormat<T>, value: T, sink: ByteSink): void {
  const delimited = sink as ByteSink & { fork(): void; ldelim(): void };
  delimited.fork();
  format.write(value, sink);
  delimited.ldelim();
}

/**
 * A coder of our own for one type of element, under the name `millrace:coder:<name>:v1`. To runners its bytes are opaque: they put a length
 * before them. The module that calls this must be loaded by workers, so a registered module imports it. Throws where the name is taken.
 */
export function wireCoder<T>(name: string, format: WireFormat<T>): ElementCoder<T> {
  if (!NAME.test(name)) throw new Error(`'${name}' is no name for a coder`);
  if (names.has(name)) throw new Error(`the coder '${name}' is registered already`);
  names.add(name);
  const urn = `millrace:coder:${name}:v1`;
  const coder: ElementCoder<T> = {
    encode: (value, writer, context) => {
      const sink = inSink(writer) ?? createByteSink();
      const whole = context === WHOLE_STREAM;
      if (whole) format.write(value, sink);
      else writeDelimited(format, value, sink);
      if (sink !== (writer as unknown)) coders.writeRawBytes(sink.finish(), writer);
    },
    decode: (reader, context) => {
      const whole = context === WHOLE_STREAM;
      const end = whole ? reader.len : reader.uint32() + reader.pos;
      if (end > reader.len) throw new RangeError(`an element of ${name} is cut off`);
      const from = createWireReader(reader.buf, reader.pos, end);
      const value = format.read(from);
      if (!from.atEnd) throw new RangeError(`an element of ${name} is longer than what was read of it`);
      reader.pos = end;
      return value;
    },
    toProto: () => ({ spec: { urn, payload: new Uint8Array() }, componentCoderIds: [] }),
  };
  coders.globalRegistry().registerConstructor(urn, () => coder);
  return coder;
}

/** Keyed elements, with Beam's own coders of pairs and of text, so that every runner can group by the key. */
export const keyedCoder = <T>(value: ElementCoder<T>): ElementCoder<Keyed<T>> =>
  new standardCoders.KVCoder(new standardCoders.StrUtf8Coder(), value);

/** Lists of elements, as what was grouped by a key arrives. */
export const listCoder = <T>(element: ElementCoder<T>): ElementCoder<readonly T[]> =>
  new standardCoders.IterableCoder(element) as unknown as ElementCoder<readonly T[]>;

/** From now on the elements of the collection cross the wire in this coder. It must be said before anything is applied to it. */
export function setCoder<T>(elements: PCollection<T>, coder: ElementCoder<T>): void {
  const { pipeline } = elements;
  const collection = pipeline.getProto().components?.pcollections[elements.getId()];
  if (collection === undefined) throw new Error('the collection is in no pipeline');
  collection.coderId = pipeline.getCoderId(coder);
}

/** The transform, whose outputs cross the wire in this coder instead of the general one. */
export function withCoder<I, O>(transform: Transform<I, O>, coder: ElementCoder<O>): Transform<I, O> {
  const coded = (input: PCollection<I>): PCollection<O> => {
    const output = input.apply(transform) as PCollection<O>;
    setCoder(output, coder);
    return output;
  };
  return beam.withName(`coded(${transforms.extractName(transform)})`, coded);
}

/** The element as it crosses the wire: what a runner sees of it. */
export function toWire<T>(coder: ElementCoder<T>, value: T): Uint8Array {
  const sink = createByteSink();
  coder.encode(value, sink as unknown as Writer, coders.Context.wholeStream);
  return sink.finish();
}

/** The inverse of toWire. */
export const fromWire = <T>(coder: ElementCoder<T>, bytes: Uint8Array): T =>
  coder.decode(protobuf.Reader.create(bytes), coders.Context.wholeStream);
