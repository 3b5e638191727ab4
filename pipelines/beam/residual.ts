import type { DelayedBundleApplication } from 'apache-beam/proto/beam_fn_api';
import { NO_WATERMARK_MS } from './poll-round.ts';
import type { Sized, Unread } from './poll-round.ts';
import { secondsAndNanos } from './proto-time.ts';
import type { OperatorContext, PTransformProto, WindowedValue } from './sdk.ts';
import { coders, DATA_SOURCE_URN, fnApi, protobuf, runnerApi } from './sdk.ts';

type Encode = (element: WindowedValue<Sized>) => Uint8Array;

const onlyName = (of: PTransformProto, kind: 'inputs' | 'outputs'): string => {
  const [name, ...others] = Object.keys(of[kind]);
  if (name === undefined || others.length > 0)
    throw new Error(`${of.uniqueName} must have one of its ${kind}`);
  return name;
};

/**
 * Residuals come back as if the runner had sent them, so they are written as the runner writes this input: with the coder of its data
 * port, which may wrap our coders otherwise than the collection says.
 */
function encoderOf(transform: PTransformProto, { descriptor, pipelineContext }: OperatorContext): Encode {
  const input = transform.inputs[onlyName(transform, 'inputs')] ?? '';
  const port = Object.values(descriptor.transforms).find(
    ({ spec, outputs }) => spec?.urn === DATA_SOURCE_URN && Object.values(outputs).includes(input),
  );
  if (port?.spec === undefined)
    throw new Error(
      `the runner does not feed ${transform.uniqueName} itself: it could not give residuals back`,
    );
  const { coderId } = fnApi.RemoteGrpcPort.fromBinary(port.spec.payload);
  const coder = pipelineContext.getCoder<WindowedValue<Sized>>(coderId);
  return (element) => {
    const writer = protobuf.Writer.create();
    coder.encode(element, writer, coders.Context.needsDelimiters);
    return writer.finish();
  };
}

/** Makes what a round left to do into what the runner takes back. */
export function createResiduals(
  transformId: string,
  transform: PTransformProto,
  context: OperatorContext,
): (unread: Unread) => DelayedBundleApplication {
  const encode = encoderOf(transform, context);
  const inputId = onlyName(transform, 'inputs');
  const outputId = onlyName(transform, 'outputs');
  return ({ element, watermarkMs, resumeAfterMs }) =>
    fnApi.DelayedBundleApplication.create({
      application: {
        transformId,
        inputId,
        element: encode(element),
        isBounded: runnerApi.IsBounded_Enum.UNBOUNDED,
        // Without a watermark of their own runners take the least one there is, which they would not with ours for none.
        outputWatermarks: watermarkMs === NO_WATERMARK_MS ? {} : { [outputId]: secondsAndNanos(watermarkMs) },
      },
      // Upwards, so that no runner that counts in milliseconds begins before the source asked for.
      requestedTimeDelay: secondsAndNanos(Math.ceil(resumeAfterMs)),
    });
}
