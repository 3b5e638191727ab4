import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { answersAt, splitAddress } from '#infra/emulators/loopback.ts';
import { startExpansionService, type ExpansionService } from '#infra/engines/flink/expansion-service.ts';
import { flinkJarsWithExpansion } from '#infra/engines/flink/flink-jars.ts';
import { expandRead, NotExpanded } from '#pipelines/beam/native-read.ts';
import { expandPubsubReads } from '#pipelines/portable/java-read.ts';
import { usePrepared } from '#test/support/engines.ts';
import { reasonWhy } from '#test/support/reason-why.ts';

const START_MS_MAX = 120_000;
const SUBSCRIPTION = 'a-subscription';
const rule = { kind: 'fixed', namespace: 'default' } as const;

describe('the expansion service', function () {
  this.timeout(START_MS_MAX);
  usePrepared(flinkJarsWithExpansion);
  let logs: string;
  let service: ExpansionService;
  let stops = 0;

  before('service', async () => {
    logs = mkdtempSync(join(tmpdir(), 'millrace-expansion-'));
    const jars = await flinkJarsWithExpansion({ environment: process.env, say: () => undefined });
    service = await startExpansionService({ jars, environment: process.env, logs });
  });
  after(async () => {
    await service?.stop();
    rmSync(logs, { recursive: true, force: true });
  });

  it('tells the read of each feed, as the runner itself does it, and is stopped', async () => {
    const feeds = ['one', 'two'].map((feed) => ({
      ...{ feed, topic: feed, rule },
      subscription: `${SUBSCRIPTION}-${feed}`,
    }));
    const reads = await expandPubsubReads(
      { startExpansion: async () => ({ ...service, stop: async () => void stops++ }) },
      {
        projectId: 'millrace-local',
        pubsub: { emulatorHost: undefined, ackDeadlineSeconds: 10, feeds, apiFeed: feeds[0]! },
      },
    );
    expect([...reads.keys()]).to.deep.equal(['one', 'two']);
    for (const { payload } of reads.values()) expect(payload.length).to.be.above(0);
    expect(stops).to.equal(1);
  });

  it('says why it cannot tell', async () => {
    const { endpoint } = service;
    const unknown = expandRead({ endpoint, urn: 'no:such:transform', configuration: {} });
    expect(await reasonWhy(unknown, NotExpanded)).to.include('no:such:transform');
    const nowhere = expandRead({ endpoint: '127.0.0.1:1', urn: 'no:such:transform', configuration: {} });
    expect(await reasonWhy(nowhere, NotExpanded)).to.include('could not be expanded');
  });

  it('listens on the loopback interface and no other', async () => {
    const { port } = splitAddress(service.endpoint);
    const others = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) expect(await answersAt(`${address}:${port}`), address).to.equal(false);
    expect(await answersAt(service.endpoint)).to.equal(true);
  });
});
