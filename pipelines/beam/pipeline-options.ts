import { z } from 'zod';

/** What a pipeline was submitted with, by the plain names of the options, such as `job_name`. */
export type PipelineOptions = Readonly<Record<string, unknown>>;

/** The option whose variables are merged under those of the worker's process: where a runner gives a worker no variables of its own. */
export const ENVIRONMENT_OPTION = 'millrace_environment';

const OPTION_URN = /^beam:option:(.+):v1$/;

export class BadPipelineOptions extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(`the pipeline's options are wrong: ${problem}`, options);
    this.name = 'BadPipelineOptions';
  }
}

const RECORD = z.record(z.string(), z.unknown());
const VARIABLES = z.record(z.string().regex(/^[A-Z_][A-Z0-9_]*$/), z.string());

/** Reads options as any runner passes them on: under urns or plain names, and with Dataflow one level deeper. Names only appear in errors. */
export function readPipelineOptions(raw: unknown): PipelineOptions {
  const outer = RECORD.safeParse(raw ?? {});
  if (!outer.success) throw new BadPipelineOptions('they are no object');
  const inner = RECORD.safeParse(outer.data['options']);
  const entries = Object.entries(inner.success ? inner.data : outer.data);
  return Object.freeze(
    Object.fromEntries(entries.map(([name, value]) => [OPTION_URN.exec(name)?.[1] ?? name, value])),
  );
}

let adopted: PipelineOptions = Object.freeze({});

/** The options of the pipeline that this worker works for; none in a process that is no worker. They may hold anything: do not log them. */
export const pipelineOptions = (): PipelineOptions => adopted;

/** Makes the options known in this process, and sets the variables that they bring where the process has none of that name. */
export function adoptPipelineOptions(
  options: PipelineOptions,
  environment: NodeJS.ProcessEnv = process.env,
): void {
  const variables = VARIABLES.safeParse(options[ENVIRONMENT_OPTION] ?? {});
  if (!variables.success) {
    throw new BadPipelineOptions(`${ENVIRONMENT_OPTION} is no object of variables and their texts`);
  }
  for (const [name, value] of Object.entries(variables.data)) environment[name] ??= value;
  adopted = options;
}
