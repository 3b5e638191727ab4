import type { protos } from '@google-cloud/bigquery-storage';
import type { WarehouseTable } from '../../tables.ts';
import type { WriteClient } from '../connection.ts';
import { isRepeated } from '../table-schema.ts';
import type { AppendRequest } from './requests.ts';

export type AppendAnswer = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;

/** One connection to a table's default stream: requests go out and are answered in the same order. */
export interface AppendStream {
  /** Resolves with the answer; rejects, as do all that are waiting, once the stream has broken. It cannot be used again then. */
  send(request: AppendRequest): Promise<AppendAnswer>;
  /** Fails whatever is still waiting. */
  close(): void;
}

/** Where it is, and as whom. */
export interface StreamTarget {
  readonly client: WriteClient;
  readonly projectId: string;
  readonly dataset: string;
  readonly table: WarehouseTable;
}

/** The stream ended with requests unanswered: nobody knows whether they were taken. */
export class StreamClosed extends Error {
  override readonly name = 'StreamClosed';
}

interface Waiting {
  resolve(answer: AppendAnswer): void;
  reject(error: Error): void;
}

/**
 * The client library's own connection leaves requests unanswered for ever when it is closed, and tells one of several about a failure;
 * so the stream is held here.
 */
export async function openAppendStream(target: StreamTarget): Promise<AppendStream> {
  const { client, projectId, dataset, table } = target;
  const name = `projects/${projectId}/datasets/${dataset}/tables/${table.name}/streams/_default`;
  // Says at once that there is no such table; and the emulator takes no append of a stream that nobody has asked for.
  await client.getWriteStream({ name }, { retry: null });
  const call = client.appendRows({
    otherArgs: { headers: { 'x-goog-request-params': `write_stream=${encodeURIComponent(name)}` } },
  });
  const waiting: Waiting[] = [];
  let broken: Error | undefined;

  function fail(error: Error): void {
    broken ??= error;
    for (const { reject } of waiting.splice(0)) reject(error);
  }
  // The listeners stay when it is closed, since an error may come after that.
  call.on('data', (answer: AppendAnswer) => waiting.shift()?.resolve(answer));
  call.on('error', fail);
  call.on('end', () => fail(new StreamClosed('BigQuery ended the stream')));
  call.on('close', () => fail(new StreamClosed('the stream was closed')));

  const protoDescriptor = descriptorOf(table);
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) return reject(broken);
        waiting.push({ resolve, reject });
        call.write({
          writeStream: name,
          protoRows: { writerSchema: { protoDescriptor }, rows: { serializedRows: request.rows } },
        });
      }),
    close() {
      fail(new StreamClosed('the stream was given up'));
      call.cancel();
    },
  };
}

const TYPE_INT64 = 3;
const TYPE_STRING = 9;
const LABEL_OPTIONAL = 1;
const LABEL_REQUIRED = 2;
const LABEL_REPEATED = 3;

/** What a row's message looks like: its fields are the columns, numbered from 1. */
const descriptorOf = (table: WarehouseTable): object => ({
  name: 'Row',
  field: table.columns.map((column, index) => ({
    name: column.name,
    number: index + 1,
    type: column.type === 'time' || column.type === 'int64' ? TYPE_INT64 : TYPE_STRING,
    label: isRepeated(column) ? LABEL_REPEATED : column.nullable ? LABEL_OPTIONAL : LABEL_REQUIRED,
  })),
});
