import './compat.ts';
import { isModuleName, UnknownModule } from './module-names.ts';
import { serialization } from './sdk.ts';

export { moduleName } from './module-names.ts';

const registered = new Set<string>();

/**
 * Makes the functions and classes of a module known to Beam by name: pipelines then carry names instead of source texts,
 * and workers load the module. Call it once at the end of each module that defines DoFns, functions for map, or CombineFns:
 * `register('millrace/pipelines/usage/stages', { ParseEvents, matchMeters })`, where the name is the file's path from the root.
 */
export function register(name: string, definitions: Readonly<Record<string, object>>): void {
  if (!isModuleName(name))
    throw new UnknownModule(name, `a name is 'millrace/' and the file's path, without .ts`);
  if (registered.has(name)) throw new Error(`the module '${name}' is registered already`);
  registered.add(name);
  serialization.requireForSerialization(name, definitions);
}

/** The modules a worker has to load: ours and the SDK's. */
export const registeredModules = (): readonly string[] => [...serialization.getRegisteredModules()];
