import { emptyAccumulator, type Accumulator, type Aggregation } from './accumulator.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { HASH128_BYTES } from './hash128.ts';

/** Writes only what the aggregation needs: the count, then its values. The fingerprint is written apart. */
export function writeMeasures(writer: ByteWriter, aggregation: Aggregation, from: Accumulator): void {
  writer.varint(from.count);
  if (aggregation === 'count' || aggregation === 'unique') return;
  writer.quantity(from.value);
  if (aggregation === 'timeWeightedSum') writer.quantity(from.moment);
  if (aggregation !== 'latest') return;
  writer.quantity(from.time);
  // An accumulator that a void emptied has no latest event left.
  writer.hash(from.identity === '' ? NO_IDENTITY : from.identity);
}

const NO_IDENTITY = '\0'.repeat(16);

export function readMeasures(reader: ByteReader, aggregation: Aggregation): Accumulator {
  const into = emptyAccumulator();
  into.count = reader.varint();
  if (aggregation === 'count' || aggregation === 'unique') return into;
  into.value = reader.quantity();
  if (aggregation === 'timeWeightedSum') into.moment = reader.quantity();
  if (aggregation !== 'latest') return into;
  into.time = Number(reader.quantity());
  into.identity = reader.hash();
  return into;
}

export function writeFingerprint(writer: ByteWriter, from: Accumulator): void {
  writer.int32(from.f0);
  writer.int32(from.f1);
  writer.int32(from.f2);
  writer.int32(from.f3);
}

export function readFingerprint(reader: ByteReader, into: Accumulator): void {
  into.f0 = reader.int32();
  into.f1 = reader.int32();
  into.f2 = reader.int32();
  into.f3 = reader.int32();
}

/** Steps over what `writeMeasures` and `writeFingerprint` wrote. */
export function skipAccumulator(reader: ByteReader, aggregation: Aggregation): void {
  reader.skipNumber();
  if (aggregation !== 'count' && aggregation !== 'unique') reader.skipNumber();
  if (aggregation === 'timeWeightedSum') reader.skipNumber();
  if (aggregation === 'latest') {
    reader.skipNumber();
    reader.skip(HASH128_BYTES);
  }
  reader.skip(HASH128_BYTES);
}
