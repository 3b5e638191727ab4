import { BigQuery } from '@google-cloud/bigquery';
import { PubSub } from '@google-cloud/pubsub';
import { Spanner } from '@google-cloud/spanner';
import { expect } from 'chai';
import { credentials } from '@grpc/grpc-js';
import { splitAddress } from '#infra/emulators/loopback.ts';
import { useEmulators } from '#test/support/emulators.ts';

/** Without our drivers: that a client which only knows the address is served. */
describe('an emulator that was found or started', () => {
  describe('of Spanner', () => {
    const emulators = useEmulators(['spanner']);

    it('answers its client', async () => {
      const { host, port } = splitAddress(emulators.spannerHost);
      const spanner = new Spanner({
        projectId: emulators.projectId,
        servicePath: host,
        port,
        sslCreds: credentials.createInsecure(),
      });
      try {
        const [configs] = await spanner.getInstanceConfigs();
        expect(configs.map(({ name }) => name)).to.include(
          `projects/${emulators.projectId}/instanceConfigs/emulator-config`,
        );
      } finally {
        await spanner.close();
      }
    });
  });

  describe('of Pub/Sub', () => {
    const emulators = useEmulators(['pubsub']);

    it('keeps what its client makes', async () => {
      const pubsub = new PubSub({
        projectId: emulators.projectId,
        apiEndpoint: emulators.pubsubHost,
        emulatorMode: true,
      });
      const name = emulators.pubsubName('kept');
      await pubsub.createTopic(name);
      const [topics] = await pubsub.getTopics();
      expect(topics.map((topic) => topic.name)).to.include(`projects/${emulators.projectId}/topics/${name}`);
      await pubsub.close();
    });
  });

  describe('of BigQuery', () => {
    const emulators = useEmulators(['bigquery']);

    it('answers a query of its client', async () => {
      const bigquery = new BigQuery({
        projectId: emulators.projectId,
        apiEndpoint: emulators.bigquery.rest,
        maxRetries: 0,
        autoRetry: false,
      });
      const [rows] = await bigquery.query({
        query: "SELECT CAST(NUMERIC '0.1' + NUMERIC '0.2' AS STRING) AS sum",
      });
      expect(rows).to.deep.equal([{ sum: '0.3' }]);
    });
  });
});
