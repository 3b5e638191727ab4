import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { eventually } from '#test/support/eventually.ts';
import { inLocalDirectory, openStores, type Cleanup } from '#test/support/local-stores.ts';
import { fetchAsCurl, hasCurl, runCurl } from '../../scripts/tour/run-curl.ts';
import { startServer, type ServerOptions, type ServerProcess } from '#test/support/server-process.ts';

function serverIn(cleanup: Cleanup, options: ServerOptions): ServerProcess {
  const server = startServer(options);
  cleanup.defer(() => server.kill());
  return server;
}

const CLEAN = { code: 0, signal: null };
const FAILED = { code: 1, signal: null };

describe('npm start', () => {
  it('makes a development key on its first start, and its line for curl works as it stands', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const server = serverIn(cleanup, { directory });
      const { url, secret } = await server.ready;
      const text = server.outputText();
      expect(text).to.include(url).and.to.include(directory);
      expect(text.split('\n').filter((line) => line.trim() === secret)).to.have.length(1);
      const line = text.slice(text.indexOf('curl '), text.indexOf('Ctrl-C'));
      const run = (await hasCurl()) ? runCurl : fetchAsCurl;
      const answer = await run(line.trimEnd(), {});
      expect(answer.status).to.equal(202);
      expect(JSON.parse(answer.text)).to.include({ accepted: 1, rejected: 0 });
      expect(await server.stop(), server.errorText()).to.deep.equal(CLEAN);

      const again = serverIn(cleanup, { directory });
      expect(await again.ready).to.have.property('secret', '');
      expect(again.outputText()).to.include('npm run keys -- create').and.not.to.include('mr_live_');
      expect(await again.stop(), again.errorText()).to.deep.equal(CLEAN);
      await expectNothingLeft(directory);
    }));

  it('makes no key where strangers could reach it', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const server = serverIn(cleanup, { directory, environment: { MILLRACE_HOST: '0.0.0.0' } });
      expect(await server.ready).to.have.property('secret', '');
      expect(server.outputText()).to.include('no development key was made').and.not.to.include('mr_live_');
      expect(await server.stop()).to.deep.equal(CLEAN);
    }));

  it('says so when its port is taken, and makes no key that nobody sees', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      cleanup.defer(async () => void taken.close());
      const { port } = taken.address() as AddressInfo;
      const server = serverIn(cleanup, { directory, port });
      expect(await server.exited).to.deep.equal(FAILED);
      expect(server.errorText())
        .to.include(`port ${port} of 127.0.0.1 is taken`)
        .and.include('MILLRACE_PORT');
      const next = serverIn(cleanup, { directory });
      expect((await next.ready).secret).to.match(/^mr_live_/);
    }));

  it('refuses a directory that another server runs on, and leaves that one alone', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const first = serverIn(cleanup, { directory });
      const { url } = await first.ready;
      const second = serverIn(cleanup, { directory });
      expect(await second.exited).to.deep.equal(FAILED);
      expect(second.errorText()).to.include(`another server runs on ${directory}`);
      expect((await fetch(`${url}/healthz`)).status).to.equal(200);
      await first.kill();
      // The lock has gone with its holder, whatever it died of.
      const third = serverIn(cleanup, { directory });
      await third.ready;
    }));

  it('starts again what is killed, where it was', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const server = serverIn(cleanup, { directory });
      const { url } = await server.ready;
      await server.replace('api');
      await server.replace('pipeline');
      expect((await fetch(`${url}/readyz`)).status).to.equal(200);
      for (const name of ['The API', 'The pipeline']) {
        expect(server.outputText()).to.include(`${name} ended (SIGKILL); it is started again in 0.5 s.`);
        expect(server.outputText()).to.include(`${name} runs again.`);
      }
      expect(await server.stop(), server.errorText()).to.deep.equal(CLEAN);
    }));

  it('ends at once when it is told to stop again, whatever is in hand', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const server = serverIn(cleanup, { directory, environment: { MILLRACE_GRACE_SECONDS: '600' } });
      const { url, secret } = await server.ready;
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      cleanup.defer(async () => void socket.destroy());
      socket.on('error', () => undefined);
      const head = [
        'POST /v1/events HTTP/1.1',
        'Host: here',
        `Authorization: Bearer ${secret}`,
        'Content-Length: 1000',
        'Expect: 100-continue',
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      // From here on the request is in hand, and its body will never come.
      const [continued] = (await once(socket, 'data')) as [Buffer];
      expect(continued.toString()).to.match(/^HTTP\/1\.1 100 /);
      server.process.kill('SIGTERM');
      await eventually('it is stopping', () => server.outputText().includes('Stopping'));
      await eventually('it has ended', () => server.hasExited() || !server.process.kill('SIGTERM'));
      expect(await server.exited).to.deep.equal({ code: 130, signal: null });
      await eventuallyGone([...server.pids.api, ...server.pids.pipeline]);
    }));

  it('takes its processes along when it is killed itself', () =>
    inLocalDirectory(async (directory, cleanup) => {
      const server = serverIn(cleanup, { directory });
      const { url } = await server.ready;
      await server.kill();
      await eventuallyGone([...server.pids.api, ...server.pids.pipeline]);
      const refused = await fetch(url).then(
        () => false,
        () => true,
      );
      expect(refused).to.equal(true);
    }));
});

/** After a clean stop nothing waits that was published. */
async function expectNothingLeft(directory: string): Promise<void> {
  const stores = await openStores(directory);
  try {
    for (const topic of Object.values(stores.topics)) expect((await topic.backlog()).messages).to.equal(0);
  } finally {
    await stores.close();
  }
}

async function eventuallyGone(pids: readonly number[]): Promise<void> {
  await eventually('its processes have gone', () => pids.every((pid) => !isAlive(pid)));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
