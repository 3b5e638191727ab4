import './compat.ts';
import type { Trigger, WindowingStrategy } from 'apache-beam/proto/beam_runner_api';
import type { Transform } from './sdk.ts';
import { beam, runnerApi } from './sdk.ts';

export type { Trigger, WindowingStrategy };

const positive = (value: number, name: string): number => {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`${name} is an integer above 0, not ${value}`);
  return value;
};

/** Fires when a pane holds so many elements. */
export const afterCount = (elements: number): Trigger =>
  runnerApi.Trigger.create({
    trigger: { oneofKind: 'elementCount', elementCount: { elementCount: positive(elements, 'the count') } },
  });

/** Fires so long after the first element of a pane has arrived. */
export function afterProcessingTime(delayMs: number): Trigger {
  const delay = { delayMillis: BigInt(positive(delayMs, 'the delay')) };
  const timestampTransforms = [{ timestampTransform: { oneofKind: 'delay' as const, delay } }];
  return runnerApi.Trigger.create({
    trigger: { oneofKind: 'afterProcessingTime', afterProcessingTime: { timestampTransforms } },
  });
}

/** Fires when the first of the triggers does. */
export function afterAny(...subtriggers: readonly Trigger[]): Trigger {
  if (subtriggers.length === 0) throw new RangeError('afterAny needs a trigger');
  return runnerApi.Trigger.create({
    trigger: { oneofKind: 'afterAny', afterAny: { subtriggers: [...subtriggers] } },
  });
}

/** Fires each time the trigger does, for ever. */
export const repeatedly = (subtrigger: Trigger): Trigger =>
  runnerApi.Trigger.create({ trigger: { oneofKind: 'repeat', repeat: { subtrigger } } });

/** Fires when the watermark passes the end of the window; before that and after it as the early and late triggers say. */
export const afterWatermark = ({ early, late }: { early?: Trigger; late?: Trigger } = {}): Trigger =>
  runnerApi.Trigger.create({
    trigger: {
      oneofKind: 'afterEndOfWindow',
      afterEndOfWindow: { ...(early && { earlyFirings: early }), ...(late && { lateFirings: late }) },
    },
  });

export interface Windowing {
  readonly trigger: Trigger;
  readonly accumulation?: 'discarding' | 'accumulating';
  readonly allowedLatenessMs?: number;
  /** The time of what a pane becomes: its window's end, or its earliest element's, which holds the watermark back for it. */
  readonly outputTime?: 'endOfWindow' | 'earliest';
}

/** The parts of a windowing strategy that do not come from its windows. */
export function windowingStrategy(windowing: Windowing): WindowingStrategy {
  const {
    trigger,
    accumulation = 'discarding',
    allowedLatenessMs = 0,
    outputTime = 'endOfWindow',
  } = windowing;
  if (!Number.isSafeInteger(allowedLatenessMs) || allowedLatenessMs < 0) {
    throw new RangeError(`the allowed lateness is an integer of 0 or more, not ${allowedLatenessMs}`);
  }
  const { AccumulationMode_Enum: Mode, OutputTime_Enum: Time } = runnerApi;
  return runnerApi.WindowingStrategy.create({
    trigger,
    accumulationMode: accumulation === 'discarding' ? Mode.DISCARDING : Mode.ACCUMULATING,
    outputTime: outputTime === 'earliest' ? Time.EARLIEST_IN_PANE : Time.END_OF_WINDOW,
    closingBehavior: runnerApi.ClosingBehavior_Enum.EMIT_IF_NONEMPTY,
    onTimeBehavior: runnerApi.OnTimeBehavior_Enum.FIRE_IF_NONEMPTY,
    allowedLateness: BigInt(allowedLatenessMs),
    environmentId: JS_ENVIRONMENT,
  });
}

/** The id the SDK gives to the one environment of a pipeline. */
const JS_ENVIRONMENT = 'jsEnvironment';

export interface GroupLimits {
  readonly elements: number;
  readonly delayMs: number;
  readonly outputTime?: NonNullable<Windowing['outputTime']>;
}

/** Fixed windows of whole seconds since the epoch, each a pane when the watermark has passed it; what comes after that is dropped. */
export function passedWindows<T>(seconds: number): Transform<T, T> {
  const strategy = windowingStrategy({ trigger: afterWatermark() });
  return beam.withName(
    'passedWindows',
    beam.windowInto(beam.fixedWindows(positive(seconds, 'a window')), strategy),
  );
}

/**
 * How the portable mode groups before a commit: in the global window, a pane for every so many elements or milliseconds,
 * whichever comes first, without keeping what was fired. Nothing is ever late, so no runner drops anything.
 */
export function groupingWindow<T>({ elements, delayMs, ...rest }: GroupLimits): Transform<T, T> {
  const trigger = repeatedly(afterAny(afterCount(elements), afterProcessingTime(delayMs)));
  // The SDK would make the step's name of the strategy's text, "[object Object]".
  return beam.withName(
    'groupingWindow',
    beam.windowInto(beam.globalWindows(), windowingStrategy({ trigger, ...rest })),
  );
}
