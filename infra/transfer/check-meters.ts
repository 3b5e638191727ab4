import { checkMeter, METER_KEY } from '#domain/metering/meter.ts';
import { sentenceOf } from '#infra/rule-error.ts';
import { lineError, type MeterLine } from './format.ts';

/** Throws `TransferError` for the first meter version that no platform could have written. */
export function checkMeters(meters: readonly (MeterLine & { readonly line: number })[]): void {
  const [versions, active] = [new Set<string>(), new Set<string>()];
  for (const { line, key, version, state, since, until, definition } of meters) {
    const fault = (text: string): Error => lineError(line, `the meter ${key}: ${text}`);
    if (!METER_KEY.test(key)) throw fault(`its key does not match ${METER_KEY.source}`);
    const violations = checkMeter(definition);
    if (violations.length > 0) throw fault(sentenceOf(violations));
    if (until !== null && until <= since) throw fault('it ends before it begins');
    if (versions.has(`${key} ${version}`)) throw fault(`version ${version} is there twice`);
    versions.add(`${key} ${version}`);
    if (state === 'active' && active.has(key)) throw fault('two of its versions are active');
    if (state === 'active') active.add(key);
  }
}
