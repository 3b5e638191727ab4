import { expect } from 'chai';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { LogControl, LogEntry_List } from 'apache-beam/proto/beam_fn_api';
import { fnApi, fnServers, grpc } from '#pipelines/beam/sdk.ts';
import { openRunnerLog } from '#pipelines/beam/runner-log.ts';
import { eventually } from '#test/support/eventually.ts';

type LogCall = ServerDuplexStream<LogEntry_List, LogControl>;

/** The log of a runner: it keeps what it is told, and can break its streams. */
async function startLog(port = 0) {
  const lines: string[] = [];
  const callers: string[] = [];
  const calls = new Set<LogCall>();
  const server = new grpc.Server();
  server.addService(fnServers.beamFnLoggingDefinition, {
    logging: (call: LogCall) => {
      calls.add(call);
      callers.push(...call.metadata.get('worker_id').map(String));
      call.on('data', ({ logEntries }: LogEntry_List) =>
        lines.push(...logEntries.map(({ message }) => message)),
      );
      call.on('error', () => undefined).on('end', () => call.end());
    },
  });
  const bound = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) =>
    error ? bound.reject(error) : bound.resolve(at),
  );
  const at = await bound.promise;
  const breakAll = (): void => {
    for (const call of calls) call.emit('error', { code: grpc.status.UNAVAILABLE, details: 'gone' });
    calls.clear();
  };
  return {
    port: at,
    endpoint: `127.0.0.1:${at}`,
    lines,
    callers,
    breakAll,
    close: () => server.forceShutdown(),
  };
}

const line = (message: string) => fnApi.LogEntry.create({ message });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i}`);

describe('the runner’s log', () => {
  it('gets every line in order, and all of them before it is closed', async () => {
    const runner = await startLog();
    const log = openRunnerLog(runner.endpoint, 'w');
    for (const message of numbered(500)) log.send(line(message));
    await log.close();
    expect(runner.lines).to.deep.equal(numbered(500));
    expect(runner.callers).to.deep.equal(['w']);
    runner.close();
  });

  it('gets lines again after its stream broke', async () => {
    const runner = await startLog();
    const log = openRunnerLog(runner.endpoint, 'w', { reopenAfterMs: 1 });
    log.send(line('before'));
    await eventually('the first line is there', () => runner.lines.length === 1);
    runner.breakAll();
    await eventually('another stream is open', () => runner.callers.length === 2);
    log.send(line('after'));
    await log.close();
    expect(runner.lines).to.deep.equal(['before', 'after']);
    runner.close();
  });

  it('keeps no more than it may for a runner that is not there, and closes without it', async () => {
    const gone = await startLog();
    gone.close();
    const log = openRunnerLog(gone.endpoint, 'w', { waitingMax: 10, reopenAfterMs: 1 });
    for (const message of numbered(100_000)) log.send(line(message));
    await log.close();
  });
});
