import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isNamespaceName, NAMESPACE_NAME } from '#domain/namespace.ts';
import { localPaths } from '#infra/local/open-local.ts';
import { UsageError } from './terminal.ts';

/** The data directory as `npm start` finds it. One that is empty is most likely a mistake in its name, so none is made here. */
export function dataDirectory(environment: NodeJS.ProcessEnv): string {
  const directory = resolve(environment['MILLRACE_DATA_DIR'] || '.millrace');
  if (existsSync(localPaths(directory).database)) return directory;
  throw new Error(
    `there is no data in ${directory}: set MILLRACE_DATA_DIR, or start the platform there once with "npm start"`,
  );
}

export function checkNamespace(namespace: string | undefined): string {
  if (namespace === undefined) throw new UsageError('--namespace is missing');
  if (isNamespaceName(namespace)) return namespace;
  throw new UsageError(`--namespace ${JSON.stringify(namespace)} does not match ${NAMESPACE_NAME.source}`);
}
