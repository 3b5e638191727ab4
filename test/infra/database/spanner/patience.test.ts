import { Server, ServerCredentials, credentials, makeClientConstructor, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { pausing, unaryPatience } from '#infra/database/spanner/patience.ts';

type ServerStream = NodeJS.EventEmitter & { write(text: string): void; end(): void };

/** A server of one stream that answers with bytes, or with a status. */
const service = {
  stream: {
    path: '/test.Test/Stream',
    requestStream: false,
    responseStream: true,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: (bytes: Buffer) => bytes.toString(),
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: (bytes: Buffer) => bytes.toString(),
  },
} as const;

describe('the patience of a stream', () => {
  const endings: status[] = [];
  const server = new Server();
  let client: InstanceType<ReturnType<typeof makeClientConstructor>>;
  before(async () => {
    server.addService(service, {
      stream: (call: ServerStream) => {
        const code = endings.shift() ?? status.OK;
        if (code === status.OK) {
          call.write('row');
          call.end();
        } else call.emit('error', Object.assign(new Error('away'), { code, details: 'away' }));
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    client = new (makeClientConstructor(service, 'Test'))(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  after(() => {
    client.close();
    server.forceShutdown();
  });

  /** One try after the other with the same patience, as the client library makes them. */
  async function tryAll(outageMs: number, tries: number): Promise<string[]> {
    const interceptors = [pausing(outageMs)];
    const heard: string[] = [];
    for (let i = 0; i < tries; i++) {
      const call = client['stream']?.('request', { interceptors }) as unknown as NodeJS.EventEmitter;
      heard.push(
        await new Promise<string>((resolve) => {
          call.on('data', (text: string) => resolve(text));
          call.on('error', (error: Error & { code: status }) => resolve(status[error.code]));
        }),
      );
    }
    return heard;
  }

  it('passes rows and errors on, and an outage as long as there is hope', async () => {
    endings.splice(0, Infinity, status.OK, status.ABORTED, status.UNAVAILABLE, status.OK);
    expect(await tryAll(10_000, 4)).to.deep.equal(['row', 'ABORTED', 'UNAVAILABLE', 'row']);
  });

  it('calls an outage that lasts by a name that nobody tries again', async () => {
    endings.splice(0, Infinity, status.UNAVAILABLE, status.OK);
    // No time at all is over at once.
    expect(await tryAll(-1, 2)).to.deep.equal(['DEADLINE_EXCEEDED', 'row']);
  });
});

describe('the patience of a call', () => {
  it('tries again what cannot be reached, and nothing that may have been done, within its time', () => {
    const { timeout, retry } = unaryPatience(3_000);
    expect(timeout).to.equal(3_000);
    expect(retry).to.have.nested.property('backoffSettings.totalTimeoutMillis', 3_000);
    expect(retry)
      .to.have.property('retryCodes')
      .that.deep.equals([status.UNAVAILABLE, status.RESOURCE_EXHAUSTED]);
  });
});
