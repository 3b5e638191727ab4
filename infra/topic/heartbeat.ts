import type { Attributes, Message, MessageId, OutgoingMessage, Topic } from './topic.ts';

const HEARTBEAT_ATTRIBUTE = 'millrace-heartbeat';
const HEARTBEAT: OutgoingMessage = {
  data: new Uint8Array(0),
  attributes: Object.freeze<Attributes>({ [HEARTBEAT_ATTRIBUTE]: '1' }),
};

/** A message that is no event: it only lets the watermark of an idle topic move on. */
export async function publishHeartbeat(topic: Pick<Topic, 'publish'>): Promise<MessageId[]> {
  return topic.publish([HEARTBEAT]);
}

export const isHeartbeat = (message: Pick<Message, 'data' | 'attributes'>): boolean =>
  message.data.length === 0 && message.attributes[HEARTBEAT_ATTRIBUTE] === '1';
