import './compat.ts';
import { apply } from './graph.ts';
import { groupPerKey, oneWindow, type Keyed } from './grouping.ts';
import type { PCollection, Transform } from './sdk.ts';
import { beam, runnerApi } from './sdk.ts';
import { windowingStrategy } from './triggers.ts';

/**
 * Elements grouped by key so that a runner deals them out over its workers, whatever step they came from. They stay as early as they were: what
 * a source makes of them may be of any time, and a runner that keeps a watermark would drop all of it as late behind an ordinary grouping.
 */
export function dealOut<Input>(keyOf: (input: Input) => string): Transform<Input, Keyed<readonly Input[]>> {
  const trigger = runnerApi.Trigger.create({ trigger: { oneofKind: 'default', default: {} } });
  const early = windowingStrategy({ trigger, outputTime: 'earliest' });
  const dealt = (input: PCollection<Input>): PCollection<Keyed<readonly Input[]>> => {
    const asEarly = apply('as early as they are', input, beam.windowInto(beam.globalWindows(), early));
    const grouped = apply('group', asEarly, groupPerKey(keyOf));
    return apply<Keyed<readonly Input[]>, Keyed<readonly Input[]>>('one window', grouped, oneWindow());
  };
  return beam.withName('deal out', dealt);
}
