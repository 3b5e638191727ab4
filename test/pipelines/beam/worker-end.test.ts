import { expect } from 'chai';
import { createLastWork } from '#pipelines/beam/worker-end.ts';
import { asRunningBundle, failRunningBundles } from '#pipelines/beam/running-bundles.ts';

const never = (): Promise<void> => new Promise(() => undefined);

describe('the work for the end of a worker', () => {
  it('is done once, all of it, and its errors are told', async () => {
    const done: string[] = [];
    const work = createLastWork();
    work.add(() => {
      throw new Error('refused');
    });
    work.add(async () => void done.push('gave back'));
    expect((await work.finish(10_000)).map(String)).to.deep.equal(['Error: refused']);
    expect(await work.finish(10_000)).to.deep.equal([]);
    expect(done).to.deep.equal(['gave back']);
  });

  it('is not waited for beyond its bound', async () => {
    const work = createLastWork();
    work.add(never);
    expect((await work.finish(1)).map(String)).to.deep.equal([
      "Error: the worker's last work took longer than 1 ms",
    ]);
  });
});

describe('a running bundle', () => {
  const rejected = (promise: Promise<void>): Promise<Error> =>
    promise.then(
      () => expect.fail('it did not fail'),
      (error: unknown) => error as Error,
    );

  it('fails with an error that nobody caught, and what it comes to later is let go', async () => {
    const work = Promise.withResolvers<undefined>();
    const late = Promise.withResolvers<undefined>();
    const bundle = asRunningBundle(work.promise, () => late.resolve(undefined));
    expect(failRunningBundles(new Error('aside'))).to.equal(1);
    expect((await rejected(bundle)).cause).to.have.property('message', 'aside');
    work.resolve(undefined);
    await late.promise;
  });

  it('is no concern of such an error when it has ended', async () => {
    await asRunningBundle(Promise.resolve(), () => expect.fail('it had ended in time'));
    await rejected(asRunningBundle(Promise.reject(new Error('its own')), () => expect.fail('it had failed')));
    expect(failRunningBundles(new Error('aside'))).to.equal(0);
  });
});
