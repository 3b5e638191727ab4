/** The topic cannot do its work now (a full disk, a lost directory, a busy index); the same call may succeed later. */
export class TopicUnavailable extends Error {
  override readonly name = 'TopicUnavailable';
}

/** The call asks for more than a named limit allows; the same call can never succeed. */
export class TopicLimitExceeded extends RangeError {
  override readonly name = 'TopicLimitExceeded';
}

/** Stored bytes are not what was written. Their messages stay unacknowledged, so that the watermark waits for them. */
export class TopicCorrupt extends Error {
  override readonly name = 'TopicCorrupt';
}
