import { expect } from 'chai';

/** The message with which something cannot be had: the promise rejects with an error of this kind. */
export async function reasonWhy(
  promise: Promise<unknown>,
  kind: abstract new (...given: never[]) => Error,
): Promise<string> {
  const error = await promise.then(
    () => expect.fail('it can be had'),
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(kind);
  return (error as Error).message;
}
