/** A publish request: the server takes 1,000 messages and 10 MB, of which what surrounds the messages takes a part. */
export const PUBLISH_REQUEST_MESSAGES_MAX = 1_000;
export const PUBLISH_REQUEST_BYTES_MAX = 9_000_000;
/** How long the first message of a request waits for company. */
export const PUBLISH_LINGER_MS = 10;
export const PUBLISH_REQUESTS_IN_FLIGHT_MAX = 16;
/** What callers who do not wait for the server may pile up in memory, with what is on its way. */
export const PUBLISH_HELD_BYTES_MAX = 128 * 1024 * 1024;
/** A publish that the server did not confirm by then is rejected: a caller that waits longer has mostly gone. */
export const PUBLISH_TIMEOUT_MS = 20_000;

/** Messages that a handle may have without having acknowledged them, pulled or still waiting to be pulled. */
export const OUTSTANDING_MESSAGES_MAX = 5_000;
export const OUTSTANDING_BYTES_MAX = 64 * 1024 * 1024;
/** A stream brings 10 MB a second at most, and on the emulator 2,000 messages. */
export const PULL_STREAMS = 5;
/** How long a pull waits for the first message. A message that comes meanwhile is there at once. */
export const PULL_WAIT_MS = 100;
/** A handle that is not pulled for so long gives back what waits to be pulled, so that others can have it. */
export const PARK_AFTER_MS = 60_000;
/** A message that waits longer to be pulled is given back: its handle takes less than it was given. */
export const WAITING_MS_MAX = 600_000;
/** A stream that nothing is written to is ended by the server. */
export const STREAM_PING_MS = 30_000;
/** How long the server may take to end a stream that it is asked to end; then it is cut off. */
export const STREAM_END_MS_MAX = 1_000;
/** What is held is given back when a handle closes, as long as the server takes it within that time. */
export const CLOSE_MS_MAX = 3_000;
/** A stream that lived so long, or brought a message, was sound: the next is opened without a pause. */
export const SOUND_STREAM_MS = 10_000;
/** Waits before a broken stream is opened again: doubling. */
export const REOPEN_FIRST_MS = 100;
export const REOPEN_LONGEST_MS = 5_000;

/** A request that changes leases may have 512 KiB, and an acknowledgement id some 200 bytes. */
export const LEASE_REQUEST_IDS_MAX = 1_000;
/** A change of leases that the server did not confirm by then is given up. */
export const LEASE_TIMEOUT_MS = 20_000;
/** Message ids whose deliveries are counted where the server does not. */
export const COUNTED_DELIVERIES_MAX = 100_000;

/** Without Cloud Monitoring: how late a message may be delivered to a handle that waits for it. */
export const DELIVERY_DELAY_MS_MAX = 5_000;
/** The same: so many acknowledgement deadlines after its lease a message is with another handle. The emulator was seen to take four. */
export const REDELIVERY_DEADLINES = 5;

/** Cloud Monitoring has a value a minute, and shows it some minutes later. */
export const SAMPLE_EVERY_MS = 30_000;
export const SAMPLE_AGE_MS_MAX = 900_000;
/** Ages are whole seconds, and a sample may be taken before the latest messages are counted. */
export const SAMPLE_SLACK_MS = 60_000;
export const MONITORING_TIMEOUT_MS = 10_000;
