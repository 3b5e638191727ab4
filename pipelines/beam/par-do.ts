import type { PTransformProto, IOperator, OperatorContext, Receiver, Transform } from './sdk.ts';
import {
  beam,
  jsCoders,
  operatorConstructor,
  operators,
  PAR_DO_URN,
  pardo,
  runnerApi,
  serialize,
} from './sdk.ts';
import { SdkMoved } from './sdk-moved.ts';

/** Runners know only the urn of ParDo, so what kind of DoFn it holds is said by the urn of the DoFn inside. */
export interface ParDoPayload<DoFn> {
  readonly doFn: DoFn;
  /** Parameters such as windowParam() and counter(), usable inside process. */
  readonly context?: object;
}

/** What an operator of ours is made from. */
export interface ParDoParts<Payload> {
  readonly transformId: string;
  readonly receiver: Receiver;
  readonly payload: Payload;
  readonly operatorContext: OperatorContext;
}
type Construct = (parts: ParDoParts<never>) => IOperator;

const constructors = new Map<string, Construct>();
const constructStock = operatorConstructor(PAR_DO_URN);

operators.registerOperatorConstructor(PAR_DO_URN, (id, transform, context) => {
  const { doFn } = runnerApi.ParDoPayload.fromBinary(transform.spec?.payload ?? new Uint8Array());
  const construct = constructors.get(doFn?.urn ?? '');
  if (doFn === undefined || construct === undefined) return constructStock(id, transform, context);
  const [output] = Object.values(transform.outputs);
  if (output === undefined) throw new Error(`the ParDo ${transform.uniqueName} has no output`);
  const payload = serialize.deserializeFn(doFn.payload) as never;
  return construct({
    transformId: id,
    receiver: context.getReceiver(output),
    payload,
    operatorContext: context,
  });
});

/** From now on ParDos whose DoFn has this urn are run by the operator that `construct` makes. */
export function registerDoFnUrn<Payload>(
  urn: string,
  construct: (parts: ParDoParts<Payload>) => IOperator,
): void {
  if (constructors.has(urn)) throw new Error(`the DoFn urn ${urn} is taken`);
  constructors.set(urn, construct);
}

const nameOf = (doFn: object): string => ('beamName' in doFn ? String(doFn.beamName) : doFn.constructor.name);

function refuseSideInputs(context: object | undefined): void {
  const isSideInput = (value: unknown): boolean => value instanceof pardo.SideInputParam;
  if (Object.values(context ?? {}).some(isSideInput)) throw new TypeError('our ParDos take no side inputs');
}

/** A transform that is a ParDo with the urn of `kind` inside. Values that are undefined are left out of the payload. */
export function parDoTransform<I, O>(
  kind: string,
  doFnUrn: string,
  payload: ParDoPayload<object>,
): Transform<I, O> {
  refuseSideInputs(payload.context);
  const { FunctionSpec, ParDoPayload: Payload } = runnerApi;
  const expand = (
    _input: unknown,
    pipeline: InstanceType<typeof beam.Root>['pipeline'],
    transform: PTransformProto,
  ): unknown => {
    const doFn = FunctionSpec.create({ urn: doFnUrn, payload: serialize.serializeFn(payload) });
    transform.spec = FunctionSpec.create({
      urn: PAR_DO_URN,
      payload: Payload.toBinary(Payload.create({ doFn })),
    });
    return pipeline.createPCollectionInternal(new jsCoders.GeneralObjectCoder());
  };
  return beam.withName(`${kind}(${nameOf(payload.doFn)})`, expand) as Transform<I, O>;
}

if (pardo.parDo.urn !== 'beam:transform:pardo:v1') throw new SdkMoved('parDo.urn');
