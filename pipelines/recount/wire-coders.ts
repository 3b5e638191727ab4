import type { PackedHourCell } from '#domain/metering/hour-cell.ts';
import { wireCoder, type WireReader, type WireWriter } from '#pipelines/beam/wire-coder.ts';
import { readTexts, writeTexts } from '#pipelines/beam/wire-text.ts';
import {
  readBytes,
  readHash,
  readInteger,
  writeBytes,
  writeHash,
  writeInteger,
} from '#pipelines/beam/wire-values.ts';
import type { ControlTotal } from './control-total.ts';
import type { PackedValue } from './distinct-values.ts';
import type { Asked, CountedBy, Recounted, RecountedHour, RecountedValue, Unmeasured } from './recounted.ts';

/* How cells cross the wire between a runner and its workers. Bytes that are read are views of what they came in. */

export const hourCellCoder = wireCoder<PackedHourCell>('hour-cell', { write: writeCell, read: readCell });

function writeCell({ totals, minutes, fingerprint, dirty }: PackedHourCell, to: WireWriter): void {
  to.byte(dirty ? 1 : 0);
  writeHash(fingerprint, to);
  writeBytes(totals, to);
  writeBytes(minutes, to);
}

function readCell(from: WireReader): PackedHourCell {
  const dirty = from.byte() === 1;
  const fingerprint = readHash(from);
  return { totals: readBytes(from), minutes: readBytes(from), fingerprint, dirty };
}

export const packedValueCoder = wireCoder<PackedValue>('distinct-value', {
  write: ({ packed }, to) => writeBytes(packed, to),
  read: (from) => ({ packed: readBytes(from) }),
});

const KINDS = ['hour', 'value', 'unmeasured', 'subject'] as const;
const OWNERS: readonly CountedBy[] = ['stream', 'backfill'];

/** A cell or value, or a piece of one, or what is said of a subject. */
export const recountedCoder = wireCoder<Recounted>('recounted', {
  write: (recounted, to) => {
    to.byte(KINDS.indexOf(recounted.kind));
    switch (recounted.kind) {
      case 'hour':
        return writeHour(recounted, to);
      case 'value':
        return writeValue(recounted, to);
      case 'unmeasured':
        return writeUnmeasured(recounted, to);
      case 'subject':
        return writeAsked(recounted, to);
    }
  },
  read: (from) => {
    const kind = KINDS[from.byte()];
    if (kind === undefined) throw new RangeError('an element of recounted is of no kind');
    return READ[kind](from);
  },
});

const READ: Readonly<Record<Recounted['kind'], (from: WireReader) => Recounted>> = {
  hour: readHour,
  value: readValue,
  unmeasured: readUnmeasured,
  subject: readAsked,
};

export const recountedHourCoder = wireCoder<RecountedHour>('recounted-hour', {
  write: writeHour,
  read: readHour,
});

export const recountedValueCoder = wireCoder<RecountedValue>('recounted-value', {
  write: writeValue,
  read: readValue,
});

/** Of whom it is, and in whose cells. */
function writeSeries({ by, subject, group }: RecountedHour | RecountedValue, to: WireWriter): void {
  to.byte(OWNERS.indexOf(by));
  writeTexts([subject, group], to);
}

function readSeries(from: WireReader) {
  const by = OWNERS[from.byte()];
  if (by === undefined) throw new RangeError('an element of recounted is nobody’s');
  const [subject, group] = readTexts(from, 2);
  return { by, subject: subject ?? '', group: group ?? '' };
}

function writeHour(hour: RecountedHour, to: WireWriter): void {
  writeSeries(hour, to);
  to.varint(hour.view);
  writeInteger(hour.hour, to);
  writeCell(hour.cell, to);
}

function readHour(from: WireReader): RecountedHour {
  const series = readSeries(from);
  return { kind: 'hour', ...series, view: from.varint(), hour: readInteger(from), cell: readCell(from) };
}

function writeValue(value: RecountedValue, to: WireWriter): void {
  writeSeries(value, to);
  writeInteger(value.day, to);
  writeHash(value.valueHash, to);
  writeBytes(value.minutes, to);
}

function readValue(from: WireReader): RecountedValue {
  const series = readSeries(from);
  const day = readInteger(from);
  return { kind: 'value', ...series, day, valueHash: readHash(from), minutes: readBytes(from) };
}

function writeUnmeasured({ subject, time }: Unmeasured, to: WireWriter): void {
  writeTexts([subject], to);
  writeInteger(time, to);
}

function readUnmeasured(from: WireReader): Unmeasured {
  const [subject] = readTexts(from, 1);
  return { kind: 'unmeasured', subject: subject ?? '', time: readInteger(from) };
}

const HAS_STORED = 1;
const HAS_CONTROL = 2;

function writeAsked({ day, subject, stored, control }: Asked, to: WireWriter): void {
  to.byte((stored ? HAS_STORED : 0) | (control ? HAS_CONTROL : 0));
  writeTexts([subject], to);
  writeInteger(day, to);
  if (stored) writeBytes(stored, to);
  if (control) writeControl(control, to);
}

function readAsked(from: WireReader): Asked {
  const has = from.byte();
  const [subject] = readTexts(from, 1);
  const asked = { kind: 'subject', subject: subject ?? '', day: readInteger(from) } as const;
  const stored = has & HAS_STORED ? { stored: readBytes(from) } : {};
  return { ...asked, ...stored, ...(has & HAS_CONTROL ? { control: readControl(from) } : {}) };
}

function writeControl(control: ControlTotal, to: WireWriter): void {
  const { pieces, names, total, groups, references, unmeasured } = control;
  for (const count of [pieces, references, unmeasured]) to.varint(count);
  for (const sum of [names, total, groups]) writeHash(sum, to);
}

function readControl(from: WireReader): ControlTotal {
  const [pieces, references, unmeasured] = [from.varint(), from.varint(), from.varint()];
  const [names, total, groups] = [readHash(from), readHash(from), readHash(from)];
  return { pieces, names, total, groups, references, unmeasured };
}
