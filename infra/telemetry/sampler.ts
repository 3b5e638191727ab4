import { TraceFlags, type Link } from '@opentelemetry/api';
import {
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace-node';

/**
 * Follows the caller, and what a span is linked to: the commit of an event is seen wherever its publishing was. Of what has neither a
 * share is taken.
 */
export function createSampler(share: number): Sampler {
  const alone = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) });
  const always = new AlwaysOnSampler();
  return {
    shouldSample: (...asked: Parameters<Sampler['shouldSample']>) => {
      const links: readonly Link[] = asked[5];
      return links.some(isSampled) ? always.shouldSample() : alone.shouldSample(...asked);
    },
    toString: () => `MillraceSampler{${share}}`,
  };
}

const isSampled = ({ context }: { readonly context: Link['context'] }): boolean =>
  (context.traceFlags & TraceFlags.SAMPLED) !== 0;
