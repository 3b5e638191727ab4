import { gatherResults } from './operator.ts';
import type { OperatorContext, ProcessResult, WindowedValue } from './sdk.ts';
import { pardoContext } from './sdk.ts';

/** Fills the parameters of a context: those of the element are set before each call, metrics work at any time of the bundle. */
export interface BoundContext {
  readonly context: unknown;
  readonly bind: (element: WindowedValue<unknown> | undefined) => void;
}

export function bindContext(transformId: string, context: object, parent: OperatorContext): BoundContext {
  const { getStateProvider, metricsContainer } = parent;
  const provider = new pardoContext.ParamProviderImpl(
    transformId,
    new Map(),
    getStateProvider,
    metricsContainer,
  );
  return {
    context: provider.augmentContext(context),
    bind: (element) => void provider.setCurrentValue(element),
  };
}

/** An element in several windows is one call for each where there is a context: its parameters name one window. */
export function eachWindow(
  element: WindowedValue<unknown>,
  process: (element: WindowedValue<unknown>) => ProcessResult,
): ProcessResult {
  if (element.windows.length === 1) return process(element);
  return gatherResults((add) => {
    for (const window of element.windows) add(process({ ...element, windows: [window] }));
  });
}
