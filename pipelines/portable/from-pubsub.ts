import { MICROS_PER_MILLI, type Instant } from '#domain/instant.ts';
import { instantOf } from '#infra/topic/pubsub/server-time.ts';
import { beam, protobuf, type BeamInstant } from '#pipelines/beam/sdk.ts';
import type { Emit, SyncDoFn } from '#pipelines/beam/sync-do-fn.ts';
import type { AckId, Message } from '#infra/topic/topic.ts';

/** Of a message that the runner's own read acknowledges: there is nothing to acknowledge it by. */
export const NO_ACK_ID: AckId = '';

/** The numbers of the fields of `google.pubsub.v1.PubsubMessage`. */
const DATA = 1;
const ATTRIBUTES = 2;
const MESSAGE_ID = 3;
const PUBLISH_TIME = 4;
/** Of an entry of a map, and of a `google.protobuf.Timestamp`. */
const FIRST = 1;
const SECOND = 2;
const FIELD_BITS = 3;
const WIRE_TYPE_MASK = 7;

type Reader = ReturnType<typeof protobuf.Reader.create>;

/** Calls `field` with the number of each field; what it does not read (false) is skipped. */
function eachField(reader: Reader, end: number, field: (number: number) => boolean): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!field(tag >>> FIELD_BITS)) reader.skipType(tag & WIRE_TYPE_MASK);
  }
}

function readAttribute(reader: Reader): [string, string] {
  let [name, value] = ['', ''];
  const end = reader.uint32() + reader.pos;
  eachField(reader, end, (number) => {
    if (number === FIRST) name = reader.string();
    else if (number === SECOND) value = reader.string();
    else return false;
    return true;
  });
  return [name, value];
}

function readTime(reader: Reader): Instant {
  let [seconds, nanos] = [0, 0];
  const end = reader.uint32() + reader.pos;
  eachField(reader, end, (number) => {
    if (number === FIRST) seconds = Number(reader.int64());
    else if (number === SECOND) nanos = reader.int32();
    else return false;
    return true;
  });
  return instantOf({ seconds, nanos });
}

/**
 * A message as the port has it, of what Java's read gives: the message of Pub/Sub without its publish time, which is the time of the element. How often
 * it was delivered nobody tells. Its bytes are a view. Throws a RangeError for bytes that are no such message.
 */
export function readPubsubMessage(bytes: Uint8Array, elementMs: number): Message {
  const reader = protobuf.Reader.create(bytes);
  const attributes: [string, string][] = [];
  let data: Uint8Array = new Uint8Array(0);
  let id = '';
  let publishTime: Instant = elementMs * MICROS_PER_MILLI;
  eachField(reader, reader.len, (number) => {
    if (number === DATA) data = reader.bytes();
    else if (number === ATTRIBUTES) attributes.push(readAttribute(reader));
    else if (number === MESSAGE_ID) id = reader.string();
    else if (number === PUBLISH_TIME) publishTime = readTime(reader);
    else return false;
    return true;
  });
  // Unlike an assignment it makes a property of every name, `__proto__` included.
  return { id, data, attributes: Object.fromEntries(attributes), publishTime, attempt: 1, ackId: NO_ACK_ID };
}

interface ElementTime {
  readonly time: { lookup(): BeamInstant };
}

/** The parameters that `FromPubsub` takes. */
export const elementTime = (): ElementTime => ({
  time: beam.timestampParam(),
});

/** What Java's read of Pub/Sub gives, as the messages that every other source gives. */
export class FromPubsub implements SyncDoFn<Uint8Array, Message, ElementTime> {
  process(bytes: Uint8Array, emit: Emit<Message>, { time }: ElementTime): void {
    emit(readPubsubMessage(bytes, time.lookup().toNumber()));
  }
}
