import type { AckId } from '#infra/topic/topic.ts';

/** A delivery as it travels to whoever commits it: whose hands its message is in, and the holder's own number for it. */
export interface CarriedAckId {
  readonly holder: HolderId;
  readonly ordinal: number;
  /** What the topic knows it by. */
  readonly ackId: AckId;
}

/** One handle of a feed in one worker, for as long as it is open: never given again. */
export type HolderId = string;

const HOLDER = /^[A-Za-z0-9_-]{1,64}$/;
const SEPARATOR = '.';

export const isHolderId = (text: string): boolean => HOLDER.test(text);

/** An acknowledgement id that says all of it. It is text like any other, so that whatever carries messages carries it. */
export const carriedAckId = ({ holder, ordinal, ackId }: CarriedAckId): AckId =>
  `${holder}${SEPARATOR}${ordinal}${SEPARATOR}${ackId}`;

/** The inverse of `carriedAckId`. Throws a RangeError where the text is none. */
export function readCarriedAckId(text: string): CarriedAckId {
  const first = text.indexOf(SEPARATOR);
  const second = text.indexOf(SEPARATOR, first + 1);
  const digits = text.slice(first + 1, second);
  const ordinal = Number(digits);
  const holder = text.slice(0, first);
  if (first < 1 || second < first + 2 || !isHolderId(holder) || !/^\d{1,16}$/.test(digits))
    throw new RangeError(`not an acknowledgement id that was carried: ${text.slice(0, 96)}`);
  if (!Number.isSafeInteger(ordinal)) throw new RangeError(`no ordinal: ${digits}`);
  return { holder, ordinal, ackId: text.slice(second + 1) };
}
