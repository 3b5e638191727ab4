import { expect } from 'chai';
import { GoogleApiError, openGoogleApi } from '#infra/engines/dataflow/google-api.ts';
import { openGoogleServer, type GoogleServer } from './google-server.ts';
import { promptScheduler } from './prompt-scheduler.ts';

describe("Google's interfaces over HTTP", () => {
  let server: GoogleServer;
  beforeEach(async () => {
    server = await openGoogleServer();
  });
  afterEach(() => server.close());

  const open = (token = 'token-1') => {
    const { scheduler, pauses } = promptScheduler();
    const call = openGoogleApi({ accessToken: async () => token, scheduler, chance: () => 1 });
    return { call, pauses };
  };
  const jobs = (): URL => new URL('/v1b3/projects/p/locations/r/jobs', server.endpoint);
  const refused = async (act: Promise<unknown>): Promise<GoogleApiError> => {
    const error: unknown = await act.then(
      () => new Error('it was not refused'),
      (fault: unknown) => fault,
    );
    expect(error).to.be.instanceOf(GoogleApiError);
    return error as GoogleApiError;
  };

  it('are asked with the token of the moment', async () => {
    expect(await open().call({ method: 'GET', url: jobs() })).to.deep.equal({});
    expect([...server.tokens]).to.deep.equal(['Bearer token-1']);
  });

  for (const status of [408, 429, 500, 502, 503, 504])
    it(`are asked again after ${status}, with pauses that grow`, async () => {
      server.faults.push(
        { status, message: 'later' },
        { status, message: 'later' },
        { status, message: 'later' },
      );
      const { call, pauses } = open();
      expect(await call({ method: 'GET', url: jobs() })).to.deep.equal({});
      expect(pauses).to.deep.equal([1_000, 2_000, 4_000]);
    });

  it('are not asked before they want to be, nor forgotten when they want to wait for ever', async () => {
    server.faults.push(
      { status: 429, message: 'slower', retryAfter: '17' },
      { status: 503, message: 'tomorrow', retryAfter: '86400' },
      { status: 503, message: 'soon', retryAfter: 'Mon, 23 Nov 2026 18:00:00 GMT' },
    );
    const { call, pauses } = open();
    await call({ method: 'GET', url: jobs() });
    expect(pauses).to.deep.equal([17_000, 32_000, 4_000]);
  });

  it('are asked again when no answer comes', async () => {
    server.faults.push('no answer', 'lost answer');
    await open().call({ method: 'GET', url: jobs() });
    expect(server.requests).to.have.length(3);
  });

  it('are given up in the end, with what they said last', async () => {
    server.faults.push(
      ...Array.from({ length: 6 }, () => ({ status: 429, message: 'Quota exceeded for quota metric' })),
    );
    const { call, pauses } = open();
    const error = await refused(call({ method: 'GET', url: jobs() }));
    expect(error.status).to.equal(429);
    expect(error.message).to.include('Quota exceeded for quota metric');
    expect(pauses).to.have.length(5);
  });

  it('are believed at once when they refuse', async () => {
    const message = 'The caller does not have permission: dataflow.jobs.create';
    server.faults.push({ status: 403, message });
    const { call, pauses } = open();
    const error = await refused(call({ method: 'GET', url: jobs() }));
    expect([error.status, pauses]).to.deep.equal([403, []]);
    expect(error.message).to.include(message).and.not.include('token-1');
  });

  it('are not asked any more once nobody waits for the answer', async () => {
    const gone = new AbortController();
    const { scheduler } = promptScheduler(() => gone.abort());
    server.faults.push({ status: 503, message: 'later' }, { status: 503, message: 'later' });
    const call = openGoogleApi({ accessToken: async () => 't', scheduler });
    await refused(call({ method: 'GET', url: jobs() }, gone.signal));
    expect(server.requests).to.have.length(1);
  });
});
