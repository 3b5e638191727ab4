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
type Pipeline = InstanceType<typeof beam.Root>['pipeline'];

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

/** Said of a ParDo whose elements are worked at in many bundles: how what is left of one is written for the runner to keep. */
export interface Splittable {
  readonly restrictionCoder: Parameters<Pipeline['getCoderId']>[0];
}

/** A runner that does not know this requirement must refuse the pipeline instead of running it wrong. */
export const SPLITTABLE_REQUIREMENT = 'beam:requirement:pardo:splittable_dofn:v1';

function requireSplittable(pipeline: Pipeline): void {
  const { requirements } = pipeline.getProto();
  if (!requirements.includes(SPLITTABLE_REQUIREMENT)) requirements.push(SPLITTABLE_REQUIREMENT);
}

/** A transform that is a ParDo with the urn of `kind` inside. Values that are undefined are left out of the payload. */
export function parDoTransform<I, O>(
  kind: string,
  doFnUrn: string,
  payload: ParDoPayload<object>,
  splittable?: Splittable,
): Transform<I, O> {
  refuseSideInputs(payload.context);
  const { FunctionSpec, ParDoPayload: Payload } = runnerApi;
  const expand = (_input: unknown, pipeline: Pipeline, transform: PTransformProto): unknown => {
    const doFn = FunctionSpec.create({ urn: doFnUrn, payload: serialize.serializeFn(payload) });
    const restrictionCoderId = splittable && pipeline.getCoderId(splittable.restrictionCoder);
    const spec = Payload.create({ doFn, ...(restrictionCoderId !== undefined && { restrictionCoderId }) });
    transform.spec = FunctionSpec.create({ urn: PAR_DO_URN, payload: Payload.toBinary(spec) });
    const coder = new jsCoders.GeneralObjectCoder();
    if (splittable === undefined) return pipeline.createPCollectionInternal(coder);
    requireSplittable(pipeline);
    return pipeline.createPCollectionInternal(coder, undefined, runnerApi.IsBounded_Enum.UNBOUNDED);
  };
  return beam.withName(`${kind}(${nameOf(payload.doFn)})`, expand) as Transform<I, O>;
}

if (pardo.parDo.urn !== 'beam:transform:pardo:v1') throw new SdkMoved('parDo.urn');
