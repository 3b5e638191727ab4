import type { Reader, Writer } from 'protobufjs';
import { expectInternal, replaceMethod } from '../sdk-moved.ts';
import { coders, instantOfBits, standardCoders } from '../sdk.ts';
import type { BeamInstant, ElementCoder, PaneInfo, Window, WindowedValue } from '../sdk.ts';

/** Every writer that a coder meets: the SDK's own, and the byte sink of a worker. */
interface PushWriter {
  _push<T>(put: (value: T, buffer: Uint8Array, at: number) => void, bytes: number, value: T): unknown;
}
interface Long64 extends BeamInstant {
  readonly low: number;
  readonly high: number;
}
interface WindowedValueCoder extends ElementCoder<WindowedValue<unknown>> {
  readonly elementCoder: ElementCoder<unknown>;
  readonly windowCoder: ElementCoder<Window>;
  readonly windowIterableCoder: ElementCoder<Window[]>;
}

const INSTANT_BYTES = 8;
const COUNT_BYTES = 4;
/** Instants are shifted by 2⁶³ on the wire, so that their bytes sort as they do. */
const SIGN = 0x8000_0000;
const wholeStream: string = coders.Context.wholeStream;
const { needsDelimiters } = coders.Context;

const push = <T>(
  writer: Writer,
  put: (value: T, buffer: Uint8Array, at: number) => void,
  bytes: number,
  value: T,
): void => void (writer as unknown as PushWriter)._push(put, bytes, value);

function putInt32(value: number, buffer: Uint8Array, at: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

function putInstant({ low, high }: Long64, buffer: Uint8Array, at: number): void {
  putInt32(high ^ SIGN, buffer, at);
  putInt32(low, buffer, at + COUNT_BYTES);
}

const putBytes = (value: Uint8Array, buffer: Uint8Array, at: number): void => buffer.set(value, at);

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const putText = (value: string, buffer: Uint8Array, at: number): void =>
  void asBuffer(buffer).write(value, at, 'utf8');

/** The place of the next so many bytes. */
function take(reader: Reader, bytes: number): number {
  const at = reader.pos;
  const end = at + bytes;
  if (end > reader.len) throw new RangeError('a value is cut off at the end of its message');
  reader.pos = end;
  return at;
}

const int32At = ({ buf }: Reader, at: number): number =>
  ((buf[at] ?? 0) << 24) | ((buf[at + 1] ?? 0) << 16) | ((buf[at + 2] ?? 0) << 8) | (buf[at + 3] ?? 0);

function readInstant(reader: Reader): BeamInstant {
  const at = take(reader, INSTANT_BYTES);
  return instantOfBits(int32At(reader, at + COUNT_BYTES), int32At(reader, at) ^ SIGN);
}

/** The SDK makes a Long and three arrays for each time that it reads or writes. */
function repairInstant(): void {
  const prototype = standardCoders.InstantCoder.prototype as unknown as ElementCoder<BeamInstant>;
  replaceMethod(prototype, 'encode', 3, (value: BeamInstant, writer: Writer, _context: string) =>
    push(writer, putInstant, INSTANT_BYTES, value as Long64),
  );
  replaceMethod(prototype, 'decode', 2, (reader: Reader, _context: string) => readInstant(reader));
}

/** Panes without an index, by their header byte: all that there are in bundles without triggers. */
const panes = new Map<number, PaneInfo>();
const PANE_ENCODING = 0xf0;

function readPane(reader: Reader): PaneInfo {
  const header = reader.buf[reader.pos] ?? 0;
  const known = panes.get(header);
  if (known !== undefined) {
    reader.pos += 1;
    return known;
  }
  const pane = standardCoders.PaneInfoCoder.INSTANCE.decode(reader, needsDelimiters);
  if ((header & PANE_ENCODING) === 0) panes.set(header, Object.freeze(pane));
  return pane;
}

const isGlobal = (coder: unknown): boolean => coder instanceof standardCoders.GlobalWindowCoder;
let global: Window[] | undefined;

/** Elements in the global window share it, as those do that begin in this process. */
function readWindows({ windowCoder, windowIterableCoder }: WindowedValueCoder, reader: Reader): Window[] {
  const at = take(reader, COUNT_BYTES);
  const count = int32At(reader, at);
  if (count === 1) {
    const window = windowCoder.decode(reader, needsDelimiters);
    return isGlobal(windowCoder) ? (global ??= [window]) : [window];
  }
  reader.pos = at;
  return windowIterableCoder.decode(reader, needsDelimiters);
}

/** What an element's value is wrapped in cost the SDK several microseconds, more than most values. */
function repairWindowedValue(): void {
  const prototype = standardCoders.FullWindowedValueCoder.prototype as unknown as WindowedValueCoder;
  function encode(
    this: WindowedValueCoder,
    { timestamp, windows, pane, value }: WindowedValue<unknown>,
    writer: Writer,
    context: string,
  ): void {
    push(writer, putInstant, INSTANT_BYTES, timestamp as Long64);
    push(writer, putInt32, COUNT_BYTES, windows.length);
    for (const window of windows) this.windowCoder.encode(window, writer, needsDelimiters);
    standardCoders.PaneInfoCoder.INSTANCE.encode(pane, writer, needsDelimiters);
    this.elementCoder.encode(value, writer, context);
  }
  function decode(this: WindowedValueCoder, reader: Reader, context: string): WindowedValue<unknown> {
    const timestamp = readInstant(reader);
    const windows = readWindows(this, reader);
    const pane = readPane(reader);
    return { value: this.elementCoder.decode(reader, context), windows, pane, timestamp };
  }
  replaceMethod(prototype, 'encode', 3, encode);
  replaceMethod(prototype, 'decode', 2, decode);
}

/** The end of a value in this context; the reader stands where it begins. */
const endOfValue = (reader: Reader, context: string): number =>
  context === wholeStream ? reader.len : reader.uint32() + reader.pos;

/** The SDK writes bytes one by one. Here what is read is a view of the message it came in. */
function repairBytes(): void {
  const prototype = standardCoders.BytesCoder.prototype as unknown as ElementCoder<Uint8Array>;
  replaceMethod(prototype, 'encode', 3, (value: Uint8Array, writer: Writer, context: string) => {
    if (context !== wholeStream) writer.uint32(value.length);
    push(writer, putBytes, value.length, value);
  });
  replaceMethod(prototype, 'decode', 2, (reader: Reader, context: string) => {
    const end = endOfValue(reader, context);
    const at = take(reader, end - reader.pos);
    return asBuffer(reader.buf).subarray(at, end);
  });
}

/** The SDK drops a U+FEFF that a text begins with, as if it were a mark of a file. */
function repairText(): void {
  const prototype = standardCoders.StrUtf8Coder.prototype as unknown as ElementCoder<string>;
  replaceMethod(prototype, 'encode', 3, (value: string, writer: Writer, context: string) => {
    const bytes = Buffer.byteLength(value);
    if (context !== wholeStream) writer.uint32(bytes);
    push(writer, putText, bytes, value);
  });
  replaceMethod(prototype, 'decode', 2, (reader: Reader, context: string) => {
    const end = endOfValue(reader, context);
    const at = take(reader, end - reader.pos);
    return asBuffer(reader.buf).toString('utf8', at, end);
  });
}

/** The SDK makes a reader for each element with a length before it. Here the reader at hand ends where the element does. */
function repairLengthPrefix(): void {
  interface LengthPrefixed extends ElementCoder<unknown> {
    readonly elementCoder: ElementCoder<unknown>;
  }
  const prototype = standardCoders.LengthPrefixedCoder.prototype as unknown as LengthPrefixed;
  replaceMethod(prototype, 'decode', 2, function (this: LengthPrefixed, reader: Reader, _context: string) {
    const { len } = reader;
    const end = reader.uint32() + reader.pos;
    if (end > len) throw new RangeError('an element is cut off at the end of its message');
    reader.len = end;
    const value = this.elementCoder.decode(reader, wholeStream);
    reader.len = len;
    reader.pos = end;
    return value;
  });
}

/** The same bytes as the SDK writes, read and written without copies and intermediate objects. */
export function repairWireCoders(): void {
  expectInternal(wholeStream, 'coders.Context.wholeStream');
  repairInstant();
  repairBytes();
  repairText();
  repairLengthPrefix();
  repairWindowedValue();
}
