import '#pipelines/beam/compat.ts';
import { COMBINE_PER_KEY_URN } from '#pipelines/beam/combining.ts';
import { GROUP_BY_KEY_URN } from '#pipelines/beam/grouping.ts';
import { runnerApi, type PipelineProto } from '#pipelines/beam/sdk.ts';
import type { Trigger, WindowingStrategy } from '#pipelines/beam/triggers.ts';

type Components = NonNullable<PipelineProto['components']>;

const GLOBAL_WINDOWS = 'beam:window_fn:global_windows:v1';
const WINDOWS = new Set([
  GLOBAL_WINDOWS,
  'beam:window_fn:fixed_windows:v1',
  'beam:window_fn:sliding_windows:v1',
  'beam:window_fn:session_windows:v1',
]);

/** Windows, and when what is grouped in them goes on. */
export function windowingFaults({ components }: PipelineProto): string[] {
  if (components === undefined) return [];
  return [
    ...Object.entries(components.windowingStrategies).flatMap(([id, strategy]) =>
      strategyFaults(strategy, components).map((fault) => `the windowing ${id} ${fault}`),
    ),
    ...Object.entries(components.transforms).flatMap(([id, { spec, inputs }]) =>
      spec?.urn === GROUP_BY_KEY_URN || spec?.urn === COMBINE_PER_KEY_URN
        ? groupingFaults(id, Object.values(inputs), components)
        : [],
    ),
  ];
}

function strategyFaults(strategy: WindowingStrategy, { coders, environments }: Components): string[] {
  const { windowFn, windowCoderId, environmentId, trigger, accumulationMode, allowedLateness } = strategy;
  const { AccumulationMode_Enum: Mode, MergeStatus_Enum: Merge } = runnerApi;
  const urn = windowFn?.urn ?? '';
  return [
    ...(WINDOWS.has(urn) ? [] : [`has windows of '${urn}', which a runner cannot assign`]),
    ...(windowCoderId in coders ? [] : [`has the coder '${windowCoderId}', which is not there`]),
    ...(environmentId === '' || environmentId in environments
      ? []
      : [`belongs to '${environmentId}', which is not there`]),
    ...(trigger === undefined ? ['has no trigger'] : triggerFaults(trigger)),
    ...(accumulationMode === Mode.DISCARDING || accumulationMode === Mode.ACCUMULATING
      ? []
      : ['neither discards nor accumulates']),
    ...(strategy.mergeStatus === Merge.UNSPECIFIED ? ['does not say whether windows merge'] : []),
    ...(strategy.outputTime === runnerApi.OutputTime_Enum.UNSPECIFIED ? ['has no time for its outputs'] : []),
    ...(strategy.closingBehavior === runnerApi.ClosingBehavior_Enum.UNSPECIFIED
      ? ['does not say what its last pane is']
      : []),
    ...(strategy.onTimeBehavior === runnerApi.OnTimeBehavior_Enum.UNSPECIFIED
      ? ['does not say what its pane on time is']
      : []),
    ...(allowedLateness < 0n ? ['allows a lateness below zero'] : []),
  ];
}

function triggerFaults({ trigger }: Trigger): string[] {
  switch (trigger.oneofKind) {
    case 'default':
    case 'always':
    case 'never':
    case 'afterSynchronizedProcessingTime':
      return [];
    case 'elementCount':
      return trigger.elementCount.elementCount > 0 ? [] : ['fires after no element'];
    case 'afterProcessingTime':
      return trigger.afterProcessingTime.timestampTransforms.every(
        ({ timestampTransform }) => timestampTransform.oneofKind !== undefined,
      )
        ? []
        : ['fires at a time that is not said'];
    case 'afterEndOfWindow':
      return partsFaults([trigger.afterEndOfWindow.earlyFirings, trigger.afterEndOfWindow.lateFirings], 0);
    case 'repeat':
      return partsFaults([trigger.repeat.subtrigger], 1);
    case 'orFinally':
      return partsFaults([trigger.orFinally.main, trigger.orFinally.finally], 2);
    case 'afterAny':
      return partsFaults(trigger.afterAny.subtriggers, 1);
    case 'afterAll':
      return partsFaults(trigger.afterAll.subtriggers, 1);
    case 'afterEach':
      return partsFaults(trigger.afterEach.subtriggers, 1);
    case undefined:
      return ['has a trigger that says nothing'];
  }
}

function partsFaults(parts: readonly (Trigger | undefined)[], least: number): string[] {
  const known = parts.filter((part) => part !== undefined);
  return [
    ...(known.length < least ? ['has a trigger without its parts'] : []),
    ...known.flatMap(triggerFaults),
  ];
}

/** The only window of a stream without end never ends, so that a trigger which waits for that never fires. */
function groupingFaults(id: string, inputs: readonly string[], components: Components): string[] {
  const { pcollections, windowingStrategies } = components;
  return inputs.flatMap((input) => {
    const { isBounded, windowingStrategyId = '' } = pcollections[input] ?? {};
    const { windowFn, trigger } = windowingStrategies[windowingStrategyId] ?? {};
    const isEndless = isBounded === runnerApi.IsBounded_Enum.UNBOUNDED && windowFn?.urn === GLOBAL_WINDOWS;
    return isEndless && !firesEarly(trigger)
      ? [`step ${id} groups a stream without end in one window, and its trigger never fires`]
      : [];
  });
}

function firesEarly(of: Trigger | undefined): boolean {
  const trigger = of?.trigger;
  switch (trigger?.oneofKind) {
    case 'elementCount':
    case 'afterProcessingTime':
    case 'afterSynchronizedProcessingTime':
    case 'always':
      return true;
    case 'repeat':
      return firesEarly(trigger.repeat.subtrigger);
    case 'afterEndOfWindow':
      return firesEarly(trigger.afterEndOfWindow.earlyFirings);
    case 'orFinally':
      return firesEarly(trigger.orFinally.main) || firesEarly(trigger.orFinally.finally);
    case 'afterAny':
      return trigger.afterAny.subtriggers.some(firesEarly);
    case 'afterAll':
      return trigger.afterAll.subtriggers.every(firesEarly);
    case 'afterEach':
      return firesEarly(trigger.afterEach.subtriggers[0]);
    case 'default':
    case 'never':
    case undefined:
      return false;
  }
}
