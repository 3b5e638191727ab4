import { expect } from 'chai';

const SHOWN_MAX = 10;

/** Expects two maps to say the same; tells the first differences, since whole maps of a run would be unreadable. */
export function expectSame<Value>(
  what: string,
  actual: ReadonlyMap<string, Value>,
  expected: ReadonlyMap<string, Value>,
): void {
  const names = new Set([...expected.keys(), ...actual.keys()]);
  const differences: string[] = [];
  for (const name of names) {
    const [found, wanted] = [actual.get(name), expected.get(name)];
    if (JSON.stringify(found) === JSON.stringify(wanted)) continue;
    differences.push(`${name}: ${show(found)} instead of ${show(wanted)}`);
  }
  const shown = differences.slice(0, SHOWN_MAX).join('\n  ');
  expect(differences.length, `${what}: ${differences.length} of ${names.size} differ\n  ${shown}\n`).to.equal(
    0,
  );
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
