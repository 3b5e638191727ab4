import { expect } from 'chai';
import {
  clusterConfiguration,
  formatConfiguration,
  miniConfiguration,
} from '#infra/engines/flink/configuration.ts';

const folders = { temporary: '/t', checkpoints: '/c', savepoints: '/s' };
const cluster = { rpcPort: 1, restPort: 2, slots: 2, heapMb: 512 };

describe('the configuration of Flink', () => {
  it('is written in the lines that Flink reads, and a value that would be cut or add a line is refused', () => {
    expect(formatConfiguration({ 'a.b': 1, c: 'd: e' })).to.equal('a.b: 1\nc: d: e\n');
    for (const value of ['/folder #1', 'x\nweb.submit.enable: true', 'x\r'])
      expect(() => formatConfiguration({ a: value })).to.throw('a cannot be set');
  });

  it('lets nothing listen beyond this machine', () => {
    for (const configuration of [
      miniConfiguration(folders, undefined),
      clusterConfiguration(folders, cluster),
    ])
      for (const name of ['rest.bind-address', 'jobmanager.bind-host', 'taskmanager.bind-host'])
        expect(configuration[name], name).to.equal('127.0.0.1');
  });

  it('pauses longer after each failure, and never gives up', () => {
    expect(miniConfiguration(folders, 1)).to.include({ 'restart-strategy': 'exponential-delay' });
  });
});
