import { BigQuery } from '@google-cloud/bigquery';
import { v1 } from '@google-cloud/bigquery-storage';
import { credentials } from '@grpc/grpc-js';

/** Which dataset, and where. */
export interface BigQueryPlace {
  readonly projectId: string;
  readonly dataset: string;
  /** Where the dataset lies, such as `EU` or `europe-west3`; BigQuery's own default when absent. */
  readonly location?: string | undefined;
  /** An emulator instead of the service: no credentials, no TLS, and no retries inside the client. */
  readonly emulator?: BigQueryEmulator | undefined;
}

export interface BigQueryEmulator {
  /** A URL. */
  readonly rest: string;
  readonly grpcHost: string;
  readonly grpcPort: number;
}

export type WriteClient = InstanceType<typeof v1.BigQueryWriteClient>;

/** An emulator answers some faults of the caller as faults of its own, which the client would then try for a quarter of a minute. */
export const connectQueries = ({ projectId, location, emulator }: BigQueryPlace): BigQuery =>
  new BigQuery({
    projectId,
    ...(location === undefined ? {} : { location }),
    ...(emulator === undefined ? {} : { apiEndpoint: emulator.rest, maxRetries: 0, autoRetry: false }),
  });

export const connectAppends = ({ projectId, emulator }: BigQueryPlace): WriteClient =>
  new v1.BigQueryWriteClient({
    projectId,
    ...(emulator === undefined
      ? {}
      : {
          apiEndpoint: emulator.grpcHost,
          port: emulator.grpcPort,
          sslCreds: credentials.createInsecure(),
        }),
  });
