import { parseArgs } from 'node:util';
import { readPipelineOptions } from './pipeline-options.ts';
import type { PipelineOptions } from './pipeline-options.ts';

/** What a runner tells a worker when it starts it. */
export interface WorkerSettings {
  readonly id: string;
  readonly controlEndpoint?: string;
  readonly loggingEndpoint?: string;
  readonly provisionEndpoint?: string;
  readonly options: PipelineOptions;
  /** Ids of further workers that the runner expects from the same container. */
  readonly siblingIds: readonly string[];
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

/** The names of the modules that register the pipeline's functions and classes. */
export function modulesOf(options: PipelineOptions): readonly string[] {
  const names = options[MODULES_OPTION] ?? [];
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

const NAMES = ['id', 'control_endpoint', 'logging_endpoint', 'provision_endpoint', 'options'] as const;

/** Reads what a runner starts a worker with: Prism an id and where to ask, others all endpoints and more that we have no use for. */
export function parseWorkerArguments(args: readonly string[]): WorkerSettings {
  // Not strict, since runners may add arguments of their own; those stay unread.
  const { values } = parseArgs({
    args: [...args],
    strict: false,
    options: Object.fromEntries(NAMES.map((name) => [name, { type: 'string' as const }])),
  });
  const read = (name: (typeof NAMES)[number]): string | undefined => {
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
    options: readPipelineOptions(parseOptions(read('options') ?? '{}')),
    siblingIds: [],
  };
}
