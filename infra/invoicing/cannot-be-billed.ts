/** What keeps one payer from being billed, and nobody else: a run says so and goes on. */
export class CannotBeBilled extends Error {
  override readonly name = 'CannotBeBilled';
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
