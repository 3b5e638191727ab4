import { readBackend } from '#infra/cloud/backend.ts';
import { readCloudSettings, type CloudSettings } from '#infra/cloud/settings.ts';
import type { ExpansionService } from '#infra/engines/flink/expansion-service.ts';
import { expandRead, type NativeRead } from '#pipelines/beam/native-read.ts';
import type { SubmittedOptions } from '#pipelines/beam/submitted-options.ts';
import { markersSilentMs } from './markers.ts';

/** An engine that reads Pub/Sub by itself, with the read of Java. */
export interface JavaReading {
  /** Whoever submits a job starts one, and stops it. */
  startExpansion(): Promise<ExpansionService>;
  /**
   * What a job has to be submitted with to have what the one before held, whose messages are acknowledged already; nothing where no job has been.
   * Asked when that one has ended.
   */
  goingOn(): Promise<SubmittedOptions>;
}

const PUBSUB_READ_URN = 'beam:transform:org.apache.beam:pubsub_read:v1';
/** An emulator takes everybody. */
const NO_CREDENTIALS = 'org.apache.beam.sdk.extensions.gcp.auth.NoopCredentialFactory';

type Cloud = Pick<CloudSettings, 'projectId' | 'pubsub'>;

/** Of Pub/Sub that Java reads. Throws where the environment names the embedded stores, and as `readCloudSettings` does. */
export function readCloudForJava(environment: NodeJS.ProcessEnv): CloudSettings {
  if (readBackend(environment) === 'embedded')
    throw new Error('--read java is for Pub/Sub, and the embedded stores have topics of their own');
  return readCloudSettings(environment);
}

/** How long nobody may report of a feed that Java reads, though all is well: in ms. */
export const javaReportsMs = (environment: NodeJS.ProcessEnv): number =>
  markersSilentMs(readCloudForJava(environment).pubsub.ackDeadlineSeconds);

/** The reads of all feeds by their names, as an expansion service tells them that lives no longer than that takes. Throws as `expandRead` does. */
export async function expandPubsubReads(
  { startExpansion }: Pick<JavaReading, 'startExpansion'>,
  { projectId, pubsub }: Cloud,
): Promise<ReadonlyMap<string, NativeRead>> {
  const service = await startExpansion();
  try {
    const reads = new Map<string, NativeRead>();
    for (const { feed, subscription } of pubsub.feeds) {
      const path = `projects/${projectId}/subscriptions/${subscription}`;
      // With attributes it gives messages, and their ids with them; without, the bytes of their data.
      const configuration = { subscription: path, with_attributes: true };
      const { endpoint } = service;
      reads.set(feed, await expandRead({ endpoint, urn: PUBSUB_READ_URN, configuration }));
    }
    return reads;
  } finally {
    await service.stop();
  }
}

/** Where the engine finds Pub/Sub, and as whom: by itself, with the identity of its machine, or an emulator. */
export const pubsubReadOptions = ({ projectId, pubsub: { emulatorHost } }: Cloud): SubmittedOptions => ({
  project: projectId,
  ...(emulatorHost !== undefined && {
    pubsubRootUrl: `http://${emulatorHost}`,
    credentialFactoryClass: NO_CREDENTIALS,
  }),
});
