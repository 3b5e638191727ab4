import { expect } from 'chai';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { parseEmulatorNames, projectOf, type EmulatorName } from '#infra/emulators/emulator.ts';
import { freePort, splitAddress } from '#infra/emulators/loopback.ts';
import { openEmulator, openEmulators, variablesOf } from '#infra/emulators/open-emulators.ts';

describe('an emulator', () => {
  let server: Server;
  let answering: string;
  let silent: string;
  before(async () => {
    server = createServer((socket) => void socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    answering = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    silent = `127.0.0.1:${await freePort()}`;
  });
  after(() => void server.close());

  const open = (name: EmulatorName, environment: NodeJS.ProcessEnv) =>
    openEmulator(name, { environment, say: () => undefined });

  it('that the environment points to is taken, and left alone', async () => {
    const variables = {
      BIGQUERY_EMULATOR_HOST: `http://${answering}`,
      BIGQUERY_STORAGE_EMULATOR_HOST: answering,
    };
    const emulator = await open('bigquery', variables);
    expect(emulator).to.deep.include({ origin: 'found', variables });
    if (emulator.origin === 'found') await emulator.stop();
    expect(server.listening).to.equal(true);
  });

  it('that the environment points to in vain is not replaced', async () => {
    expect(await open('spanner', { SPANNER_EMULATOR_HOST: silent })).to.deep.equal({
      name: 'spanner',
      origin: 'not available',
      reason: `SPANNER_EMULATOR_HOST points to ${silent}, where nothing answers`,
    });
  });

  it('that the environment points to by half is not guessed', async () => {
    expect(await open('bigquery', { BIGQUERY_EMULATOR_HOST: answering })).to.have.property(
      'reason',
      'BIGQUERY_EMULATOR_HOST and BIGQUERY_STORAGE_EMULATOR_HOST belong together, but BIGQUERY_STORAGE_EMULATOR_HOST is not set',
    );
  });

  it('that no source has is told with the reason of each', async () => {
    expect(await open('bigquery', { MILLRACE_CACHE_DIR: 'no-such-folder' })).to.have.property(
      'reason',
      'Go module: it is built by Go, and there is no go; Docker: no docker',
    );
  });

  it('gives clients their variables, and one project', async () => {
    const environment = { SPANNER_EMULATOR_HOST: answering, PUBSUB_EMULATOR_HOST: silent };
    const emulators = await openEmulators(['spanner', 'pubsub'], { environment, say: () => undefined });
    expect(variablesOf(emulators, environment)).to.deep.equal({
      SPANNER_EMULATOR_HOST: answering,
      MILLRACE_PROJECT: 'millrace-local',
      METADATA_SERVER_DETECTION: 'none',
    });
    expect(projectOf({ GOOGLE_CLOUD_PROJECT: 'theirs' })).to.equal('theirs');
    expect(projectOf({ GOOGLE_CLOUD_PROJECT: 'theirs', MILLRACE_PROJECT: 'ours' })).to.equal('ours');
  });

  it('is named in any order, and by no other name', () => {
    expect(parseEmulatorNames(undefined)).to.deep.equal(['spanner', 'pubsub', 'bigquery']);
    expect(parseEmulatorNames('bigquery, spanner,bigquery')).to.deep.equal(['spanner', 'bigquery']);
    for (const wrong of ['', 'spaner', 'spanner,'])
      expect(() => parseEmulatorNames(wrong)).to.throw('the emulators spanner, pubsub, bigquery exist');
  });

  it('listens at an address that is read as a host and a port, or as a URL', () => {
    expect(splitAddress('127.0.0.1:9010')).to.deep.equal({ host: '127.0.0.1', port: 9010 });
    expect(splitAddress('http://localhost:9050')).to.deep.equal({ host: 'localhost', port: 9050 });
    expect(splitAddress('https://example.test')).to.deep.equal({ host: 'example.test', port: 443 });
    expect(splitAddress('[::1]:80')).to.deep.equal({ host: '::1', port: 80 });
    expect(splitAddress('not an address')).to.have.property('port', 0);
  });
});
