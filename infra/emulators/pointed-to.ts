import { EmulatorUnavailable, type EmulatorName, type RunningEmulator } from './emulator.ts';
import { answersAt } from './loopback.ts';

/**
 * The emulator that the environment points to already; it is another's, so `stop` leaves it alone. Undefined when it points nowhere. Throws
 * `EmulatorUnavailable` when it points to where nothing answers: what somebody set on purpose is not silently replaced.
 */
export async function pointedTo(
  name: EmulatorName,
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<RunningEmulator | undefined> {
  const variables = names.map((variable) => [variable, environment[variable] ?? ''] as const);
  const missing = variables.filter(([, address]) => address === '').map(([variable]) => variable);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0)
    throw new EmulatorUnavailable(`${names.join(' and ')} belong together, but ${missing.join()} is not set`);
  for (const [variable, address] of variables) {
    if (!(await answersAt(address)))
      throw new EmulatorUnavailable(`${variable} points to ${address}, where nothing answers`);
  }
  return {
    name,
    origin: 'found',
    what: variables.map(([variable, address]) => `${variable}=${address}`).join(' '),
    variables: Object.fromEntries(variables),
    stop: async () => undefined,
  };
}
