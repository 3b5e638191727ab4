import { once, EventEmitter } from 'node:events';
import { protos } from '@google-cloud/bigquery-storage';
import {
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type sendUnaryData,
} from '@grpc/grpc-js';

type Request = protos.google.cloud.bigquery.storage.v1.AppendRowsRequest;
type Response = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;
type Call = ServerDuplexStream<Request, Response>;

const { AppendRowsRequest, AppendRowsResponse, GetWriteStreamRequest, WriteStream } =
  protos.google.cloud.bigquery.storage.v1;

/** What becomes of a request. */
export type Fate =
  | 'taken'
  /** The rows are taken and the stream breaks before the answer. */
  | 'answer lost'
  /** The rows are taken and nothing is heard of it. */
  | 'silence'
  /** The stream ends in good order, without taking the rows. */
  | 'stream closed'
  /** BigQuery refuses rows of it: none is taken. */
  | { readonly refusedRows: readonly number[] }
  /** An answer with a status and no row. */
  | { readonly answer: number }
  /** The stream breaks with a status, without taking the rows. */
  | { readonly breaks: number };

/** The fields of a row's message by number: texts, and numbers as bigints. */
export type FakeRow = ReadonlyMap<number, readonly (string | bigint)[]>;

export interface FakeWriteServer {
  readonly port: number;
  /** What becomes of the next requests; those after them are taken. */
  fates: Fate[];
  /** Every row that was taken, as often as it was. */
  readonly rows: FakeRow[];
  /** Requests as they came: how many rows, how many bytes. */
  readonly requests: { readonly rows: number; readonly bytes: number }[];
  /** The streams that were opened, and those that are open. */
  readonly streams: { opened: number; open: number };
  /** Until let go, requests are kept without an answer; `kept` says how many are. */
  hold(): { readonly kept: () => number; letGo(): void };
  /** Resolves when the next request has come and its fate has been met. */
  nextRequest(): Promise<void>;
  /** Ends all open streams with a status, as a service does with idle ones. */
  breakStreams(code: number): void;
  close(): void;
}

/** A BigQueryWrite service on loopback that does as it is told. */
export async function startFakeWriteServer(): Promise<FakeWriteServer> {
  const events = new EventEmitter();
  const calls = new Set<Call>();
  let held: (() => void)[] | undefined;
  const server = new Server({ 'grpc.max_receive_message_length': 10_000_000 });

  function appendRows(call: Call): void {
    calls.add(call);
    fake.streams.opened++;
    fake.streams.open = calls.size;
    const ended = (): void => {
      calls.delete(call);
      fake.streams.open = calls.size;
    };
    call.on('data', (request: Request) => {
      const meet = (): void => {
        meetFate(fake, call, request);
        events.emit('request');
      };
      if (held) held.push(meet);
      else meet();
    });
    call.on('end', () => call.end());
    call.on('error', ended);
    call.on('close', ended);
    call.on('cancelled', ended);
  }

  const fake: FakeWriteServer = {
    port: 0,
    fates: [],
    rows: [],
    requests: [],
    streams: { opened: 0, open: 0 },
    hold() {
      const holding: (() => void)[] = [];
      held = holding;
      return {
        kept: () => holding.length,
        letGo() {
          held = undefined;
          for (const meet of holding) meet();
        },
      };
    },
    async nextRequest() {
      await once(events, 'request');
    },
    breakStreams: (code) => {
      for (const call of calls) breakStream(call, code);
    },
    close: () => server.forceShutdown(),
  };
  server.addService(SERVICE, {
    AppendRows: appendRows,
    GetWriteStream: (
      { request }: { request: { name: string } },
      answer: sendUnaryData<protos.google.cloud.bigquery.storage.v1.IWriteStream>,
    ) => answer(null, { name: request.name }),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return Object.assign(fake, { port });
}

function meetFate(fake: FakeWriteServer, call: Call, request: Request): void {
  const serialized = (request.protoRows?.rows?.serializedRows ?? []).map((row) => Buffer.from(row));
  fake.requests.push({
    rows: serialized.length,
    bytes: AppendRowsRequest.encode(request).finish().length,
  });
  const fate = fake.fates.shift() ?? 'taken';
  if (fate === 'taken' || fate === 'answer lost' || fate === 'silence')
    fake.rows.push(...serialized.map(readRow));
  if (fate === 'taken') call.write({ appendResult: {} });
  else if (fate === 'answer lost') breakStream(call, status.UNAVAILABLE);
  else if (fate === 'stream closed') call.end();
  else if (typeof fate === 'object') meetFault(call, fate);
}

function meetFault(call: Call, fate: Exclude<Fate, string>): void {
  if ('breaks' in fate) breakStream(call, fate.breaks);
  else if ('answer' in fate) call.write({ error: { code: fate.answer, message: 'told to' } });
  else
    call.write({
      error: { code: status.INVALID_ARGUMENT, message: 'rows are at fault' },
      rowErrors: fate.refusedRows.map((index) => ({ index, code: 1, message: 'told to refuse' })),
    });
}

const breakStream = (call: Call, code: number): void =>
  void call.emit('error', { code, details: 'told to break' });

const PATH = '/google.cloud.bigquery.storage.v1.BigQueryWrite/';

/** The part of the service that the driver calls, as grpc-js wants it. */
const SERVICE = {
  AppendRows: {
    path: `${PATH}AppendRows`,
    requestStream: true,
    responseStream: true,
    requestSerialize: (value: Request) => Buffer.from(AppendRowsRequest.encode(value).finish()),
    requestDeserialize: (bytes: Buffer) => AppendRowsRequest.decode(bytes),
    responseSerialize: (value: Response) => Buffer.from(AppendRowsResponse.encode(value).finish()),
    responseDeserialize: (bytes: Buffer) => AppendRowsResponse.decode(bytes),
  },
  GetWriteStream: {
    path: `${PATH}GetWriteStream`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (value: protos.google.cloud.bigquery.storage.v1.IGetWriteStreamRequest) =>
      Buffer.from(GetWriteStreamRequest.encode(value).finish()),
    requestDeserialize: (bytes: Buffer) => GetWriteStreamRequest.decode(bytes),
    responseSerialize: (value: protos.google.cloud.bigquery.storage.v1.IWriteStream) =>
      Buffer.from(WriteStream.encode(value).finish()),
    responseDeserialize: (bytes: Buffer) => WriteStream.decode(bytes),
  },
};

/** Takes a message of texts and numbers apart, knowing nothing of how it was put together. */
export function readRow(bytes: Buffer): FakeRow {
  const row = new Map<number, (string | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    let value: string | bigint;
    if ((tag & 7) === 0) value = BigInt.asIntN(64, varint());
    else {
      const length = Number(varint());
      value = bytes.toString('utf8', at, at + length);
      at += length;
    }
    row.set(field, [...(row.get(field) ?? []), value]);
  }
  return row;
}
