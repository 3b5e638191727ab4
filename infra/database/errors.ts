export type StoreErrorKind =
  'AlreadyExists' | 'NotFound' | 'RefusedValue' | 'UnknownOutcome' | 'StoreFailure' | 'SchemaTooNew';

/** What a driver throws, and nothing else: callers decide by `kind`, operators by the message. */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.name = kind;
  }
}

/** A key, or a unique index entry, that an insert wanted is taken. */
export class AlreadyExists extends StoreError {
  constructor(message: string, cause?: unknown) {
    super('AlreadyExists', message, cause);
  }
}

/** A row that an update named is not there. */
export class NotFound extends StoreError {
  constructor(message: string, cause?: unknown) {
    super('NotFound', message, cause);
  }
}

/** The store will never take this one value, however often it is tried: only this may dead-letter an event. */
export class RefusedValue extends StoreError {
  constructor(message: string, cause?: unknown) {
    super('RefusedValue', message, cause);
  }
}

/** The commit may have happened: running the same work again finds what it wrote. */
export class UnknownOutcome extends StoreError {
  constructor(message: string, cause?: unknown) {
    super('UnknownOutcome', message, cause);
  }
}

/** The store does not work now, or not as it is set up: an operator mends it and the same call succeeds. */
export class StoreFailure extends StoreError {
  constructor(message: string, cause?: unknown) {
    super('StoreFailure', message, cause);
  }
}

/** The store was written by a newer release: an older one would not understand it. */
export class SchemaTooNew extends StoreError {
  constructor(message: string, cause?: unknown) {
    super('SchemaTooNew', message, cause);
  }
}
