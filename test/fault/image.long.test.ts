import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChild } from '#test/support/child-process.ts';
import { eventually } from '#test/support/eventually.ts';
import { startServer } from '#test/support/server-process.ts';
import { expectBoots, linkBoot } from '../deploy/boot.ts';
import { readDockerfile, readPrograms } from '../deploy/dockerfile.ts';
import { copySentFiles } from '../deploy/sent-files.ts';

const run = promisify(execFile);
const NOBODY = 65_534;
const PROGRAM = 'infra/local/start/main.ts';

describe('the image, built in a folder by the steps of its Dockerfile', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-'));
    await chmod(folder, 0o755);
    await buildInto(join(folder, 'app'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('holds no package for development', async () => {
    const installed = await readdir(join(folder, 'app/node_modules'));
    expect(installed).to.include.members(['express', 'zod']);
    expect(installed).to.not.include.members(['mocha', 'chai', 'eslint', 'prettier', 'fast-check', 'c8']);
  });

  it('has all that each program of the cloud loads, so that it can name the settings it misses', async () => {
    for (const [component, program] of Object.entries(readPrograms())) {
      const child = startChild(join(folder, 'app', program), [], {
        environment: { MILLRACE_BACKEND: 'gcp' },
        keepOutput: true,
      });
      const { code } = await child.exited;
      expect(child.errorText(), component).to.match(/the environment is wrong:[^]*MILLRACE_SPANNER_INSTANCE/);
      expect(code, component).to.equal(1);
    }
  });

  it('serves a runner as a container of Dataflow is started, as a user who owns nothing in it', async () => {
    const boot = await linkBoot(join(folder, 'app'));
    await asNobody(() => expectBoots(boot));
  });

  it('takes events over HTTP and counts them, as a user who owns nothing in it', async () => {
    const directory = join(folder, 'data');
    await mkdir(directory);
    await chmod(directory, 0o777);
    await asNobody(async () => {
      const server = startServer({ directory, program: join(folder, 'app', PROGRAM) });
      try {
        await countOneEvent(await server.ready);
      } finally {
        await server.stop();
      }
      expect(server.outputText()).to.include('Millrace has stopped.');
    });
  });
});

async function countOneEvent({ url, secret }: { url: string; secret: string }): Promise<void> {
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  const send = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    expect(answer.ok, `${method} ${path}: ${await answer.text()}`).to.equal(true);
  };
  await send('PUT', '/v1/meters/requests', { name: 'Requests', eventType: 'request', aggregation: 'count' });
  const event = { specversion: '1.0', id: 'e-1', source: 'urn:svc', type: 'request', subject: 'acme' };
  await send('POST', '/v1/events', [event]);
  await eventually('the event is counted', async () => {
    const answer = await fetch(`${url}/v1/events/lookup?source=urn:svc&id=e-1`, { headers });
    return ((await answer.json()) as { state?: string }).state === 'counted';
  });
}

/** A superuser acts as somebody who owns nothing; everybody else acts as themselves, who own the folder. */
async function asNobody(act: () => Promise<void>): Promise<void> {
  const superuser = process.geteuid?.() === 0;
  if (superuser) process.seteuid?.(NOBODY);
  try {
    await act();
  } finally {
    if (superuser) process.seteuid?.(0);
  }
}

/** Copies what Docker would be sent, and installs by the command that the Dockerfile has. */
async function buildInto(app: string): Promise<void> {
  await copySentFiles(app);
  const [, packages = []] = readDockerfile();
  const install = packages.findLast(({ name }) => name === 'RUN')?.value ?? 'false';
  await run('sh', ['-c', install], { cwd: app });
}
