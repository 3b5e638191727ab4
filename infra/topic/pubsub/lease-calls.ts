import type { AckId } from '../topic.ts';
import { LEASE_CALL } from './connection.ts';
import { isRefused, unavailable } from './failures.ts';
import { LEASE_REQUEST_IDS_MAX } from './limits.ts';
import type { SubscriberCalls } from './subscriber-calls.ts';
import type { TopicLog } from './topic-log.ts';

/** What the server is told of messages that a handle was given: in as few requests as they fit into, side by side. */
export interface LeaseCalls {
  acknowledge(ids: readonly AckId[]): Promise<void>;
  /** The leases end so many seconds from now; 0 gives the messages back. */
  setDeadline(ids: readonly AckId[], seconds: number): Promise<void>;
}

type LeaseClient = Pick<SubscriberCalls, 'acknowledge' | 'modifyAckDeadline'>;

export function createLeaseCalls(client: LeaseClient, subscription: string, log: TopicLog): LeaseCalls {
  const inRequests = async (
    what: string,
    ids: readonly AckId[],
    call: (ackIds: string[]) => Promise<unknown>,
  ): Promise<void> => {
    await Promise.all(requestsOf(ids).map((ackIds) => tellServer(what, () => call(ackIds), log)));
  };
  return {
    acknowledge: (ids) =>
      inRequests('acknowledge', ids, (ackIds) => client.acknowledge({ subscription, ackIds }, LEASE_CALL)),
    setDeadline: (ids, seconds) =>
      inRequests(seconds === 0 ? 'release' : 'extend', ids, (ackIds) =>
        client.modifyAckDeadline(
          { subscription, ackIds, ackDeadlineSeconds: Math.ceil(seconds) },
          LEASE_CALL,
        ),
      ),
  };
}

function requestsOf(ids: readonly AckId[]): string[][] {
  const requests: string[][] = [];
  for (let at = 0; at < ids.length; at += LEASE_REQUEST_IDS_MAX)
    requests.push(ids.slice(at, at + LEASE_REQUEST_IDS_MAX));
  return requests;
}

/**
 * Ids that the server does not know, such as those of a subscription that was made anew, stay unknown however often they are sent: then
 * the messages of the request come again at their deadline, which is harmless, and nobody tries for ever.
 */
async function tellServer(what: string, call: () => Promise<unknown>, log: TopicLog): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isRefused(error)) throw unavailable(what, error);
    log.warn({ err: error }, `the server knows an id of a delivery not: cannot ${what}`);
  }
}
