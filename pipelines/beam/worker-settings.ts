import { parseArgs } from 'node:util';

/** What a runner tells a worker when it starts it. */
export interface WorkerSettings {
  readonly id: string;
  readonly controlEndpoint?: string;
  readonly loggingEndpoint?: string;
  readonly provisionEndpoint?: string;
  /** Names of the modules that register the pipeline's functions and classes. */
  readonly modules: readonly string[];
}

const MODULES_OPTION = 'registered_node_modules';

export class BadWorkerArguments extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(`the worker's arguments are wrong: ${problem}`, options);
    this.name = 'BadWorkerArguments';
  }
}

/** Some runners pass the shell's quotes on with the value. */
const unquote = (value: string): string => value.replace(/^'(.*)'$/, '$1');

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** The modules named by the pipeline's options, whose keys are plain or urns; Dataflow puts them one level deeper. */
export function modulesOf(options: unknown): string[] {
  const outer = isRecord(options) ? options : {};
  const inner = isRecord(outer['options']) ? outer['options'] : outer;
  const names = inner[`beam:option:${MODULES_OPTION}:v1`] ?? inner[MODULES_OPTION] ?? [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new BadWorkerArguments(`the option ${MODULES_OPTION} is not a list of names`);
  }
  return names;
}

function parseOptions(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadWorkerArguments('--options is not JSON', { cause: error });
  }
}

export function parseWorkerArguments(args: readonly string[]): WorkerSettings {
  const names = ['id', 'control_endpoint', 'logging_endpoint', 'provision_endpoint', 'options'] as const;
  // Not strict, since runners may add arguments of their own; those stay unread.
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const read = (name: (typeof names)[number]): string | undefined => {
    const value = values[name];
    return typeof value === 'string' && value !== '' ? unquote(value) : undefined;
  };
  const id = read('id');
  const [control, logging, provision] = [
    read('control_endpoint'),
    read('logging_endpoint'),
    read('provision_endpoint'),
  ];
  if (id === undefined) throw new BadWorkerArguments('--id is missing');
  if (control === undefined && provision === undefined) {
    throw new BadWorkerArguments('--control_endpoint or --provision_endpoint must be given');
  }
  return {
    id,
    ...(control !== undefined && { controlEndpoint: control }),
    ...(logging !== undefined && { loggingEndpoint: logging }),
    ...(provision !== undefined && { provisionEndpoint: provision }),
    modules: modulesOf(parseOptions(read('options') ?? '{}')),
  };
}
