import type { IOperator } from '../sdk.ts';
import { DATA_SINK_URN, operatorConstructor, operators, protobuf } from '../sdk.ts';
import { replaceMethod, SdkMoved } from '../sdk-moved.ts';

interface DataSink extends IOperator {
  buffer: { readonly len: number; finish(): Uint8Array } | undefined;
  readonly channel: { sendData(data: Uint8Array): Promise<void> };
  flush(): Promise<void>;
}

/**
 * The SDK replaces the buffer only after the send was awaited. A call that emits more than 1 MB without a pause then sends
 * the same megabyte again with each further element: silent duplicates. Here the buffer is replaced before it is sent.
 */
async function flush(this: DataSink): Promise<void> {
  if (this.buffer === undefined) throw new SdkMoved('DataSinkOperator.buffer');
  if (this.buffer.len === 0) return;
  const data = this.buffer.finish();
  this.buffer = protobuf.Writer.create();
  await this.channel.sendData(data);
}

export function repairDataSink(): void {
  const construct = operatorConstructor(DATA_SINK_URN);
  operators.registerOperatorConstructor(DATA_SINK_URN, (id, transform, context) => {
    const sink = construct(id, transform, context) as DataSink;
    replaceMethod(sink, 'flush', 0, flush);
    return sink;
  });
}
