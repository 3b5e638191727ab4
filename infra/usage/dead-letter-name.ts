import type { MessageId } from '#infra/topic/topic.ts';

/** Which dead letter is meant: the refused message, in the feed that brought it. */
export interface DeadLetterName {
  readonly feed: string;
  readonly messageId: MessageId;
}

/** One text for both, wherever a dead letter is named: in answers, as one step of a path, in the attribute of its replay. */
export const toDeadLetterId = ({ feed, messageId }: DeadLetterName): string =>
  `${encodeURIComponent(feed)}:${encodeURIComponent(messageId)}`;

/** Undefined where the text names none. */
export function parseDeadLetterId(text: string): DeadLetterName | undefined {
  const [feed, messageId, ...more] = text.split(':').map(decoded);
  if (!feed || !messageId || more.length > 0) return undefined;
  return { feed, messageId };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
