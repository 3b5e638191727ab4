import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What every module name of ours begins with; the rest is the file's path from the root of the repository, without `.ts`. */
const PREFIX = 'millrace/';
const MODULE_NAME = /^millrace(?:\/[A-Za-z0-9][\w.-]*)+$/;
const SDK_PREFIX = 'apache-beam';
const ROOT = new URL('../../', import.meta.url);

export class UnknownModule extends Error {
  constructor(name: string, reason: string) {
    super(`cannot load the module '${name}': ${reason}`);
    this.name = 'UnknownModule';
  }
}

export const isModuleName = (name: string): boolean => MODULE_NAME.test(name);
const isSdkModule = (name: string): boolean => name === SDK_PREFIX || name.startsWith(`${SDK_PREFIX}/`);

/**
 * The name under which a pipeline says what its workers must load. It holds no path of a machine, and resolves to a file outside
 * node_modules, since Node strips no types there.
 */
export function moduleName(fileUrl: string): string {
  const name = `${PREFIX}${decodeURI(fileUrl).slice(decodeURI(ROOT.href).length).replace(/\.ts$/, '')}`;
  if (!fileUrl.startsWith(ROOT.href) || !isModuleName(name)) {
    throw new UnknownModule(fileUrl, 'it is no file of this repository that a name can be made of');
  }
  return name;
}

/** Where `import` finds the module on this machine. */
export function moduleUrl(name: string): string {
  // The SDK registers its own modules too; package resolution finds them.
  if (isSdkModule(name)) return name;
  if (!isModuleName(name))
    throw new UnknownModule(name, `only '${PREFIX}…' and '${SDK_PREFIX}/…' are known here`);
  const file = fileURLToPath(new URL(`${name.slice(PREFIX.length)}.ts`, ROOT));
  if (!existsSync(file))
    throw new UnknownModule(name, 'the pipeline names it, but this worker was built without it');
  return pathToFileURL(file).href;
}
