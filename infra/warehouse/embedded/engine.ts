import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DuckDBInstance,
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import { QueryFailed, WarehouseUnavailable } from '../errors.ts';
import { createGate, type Gate } from '../gate.ts';
import { textLiteral } from './sql-text.ts';

export interface EngineOptions {
  /** The only place, beside its own spill directory, that the engine may touch. */
  readonly directory: string;
  readonly memoryMegabytes: number;
  readonly threads: number;
}

/** Sorts and groupings that outgrow the memory go to disk, up to this much. */
const SPILL_MEGABYTES_MAX = 32 * 1024;
/** Each native call holds one of Node's four I/O threads; the others stay free for appends. */
const NATIVE_CALLS_AT_ONCE_MAX = 2;

/** A parameter with its type, since a guessed type would keep the engine from skipping what cannot match. */
export interface Binding {
  readonly value: DuckDBValue;
  readonly type: DuckDBType;
}
export type Bindings = Readonly<Record<string, Binding>>;
export type EngineRow = Readonly<Record<string, DuckDBValue>>;

/** SQL over files, in memory, offline. */
export interface Engine {
  /** Rows as they come, some thousand at a time; leaving the loop ends the query. */
  stream(sql: string, bindings: Bindings): AsyncGenerator<EngineRow[], void, undefined>;
  /** The same as columns: what makes values of them decides what they cost. */
  streamColumns(sql: string, bindings: Bindings): AsyncGenerator<DuckDBDataChunk, void, undefined>;
  /** Runs a statement that answers with one count, such as `COPY`. */
  count(sql: string): Promise<number>;
  close(): Promise<void>;
}

export async function openEngine({ directory, memoryMegabytes, threads }: EngineOptions): Promise<Engine> {
  // The engine makes it when it first needs it: a process that is killed mostly leaves nothing behind.
  const spill = join(tmpdir(), `millrace-spill-${randomUUID()}`);
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    memory_limit: `${memoryMegabytes}MB`,
    threads: String(threads),
    temp_directory: spill,
    max_temp_directory_size: `${SPILL_MEGABYTES_MAX}MB`,
  });
  await confine(instance, [directory, spill]);
  const gate = createGate(NATIVE_CALLS_AT_ONCE_MAX);

  const connect = async (): Promise<DuckDBConnection> => {
    if (gate.closed) throw new WarehouseUnavailable('the warehouse is closed');
    return instance.connect();
  };

  async function* streamed<Part>(
    sql: string,
    bindings: Bindings,
    take: (chunk: DuckDBDataChunk, names: readonly string[]) => Part,
  ): AsyncGenerator<Part, void, undefined> {
    const connection = await connect();
    try {
      const { values, types } = split(bindings);
      const result = await enter(gate, () => connection.stream(sql, values, types));
      const names = result.columnNames();
      for (;;) {
        const chunk = await enter(gate, () => result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        yield take(chunk, names);
      }
    } finally {
      connection.disconnectSync();
    }
  }

  async function count(sql: string): Promise<number> {
    const connection = await connect();
    try {
      const reader = await enter(gate, () => connection.runAndReadAll(sql));
      return Number(reader.getRows()[0]?.[0] ?? 0);
    } finally {
      connection.disconnectSync();
    }
  }

  async function close(): Promise<void> {
    await gate.close();
    instance.closeSync();
    await rm(spill, { recursive: true, force: true });
  }

  return {
    stream: (sql, bindings) => streamed(sql, bindings, (chunk, names) => chunk.getRowObjects(names)),
    streamColumns: (sql, bindings) => streamed(sql, bindings, (chunk) => chunk),
    count,
    close,
  };
}

/** From here on no statement can reach any other file, load an extension or undo this. */
async function confine(instance: DuckDBInstance, directories: readonly string[]): Promise<void> {
  const connection = await instance.connect();
  try {
    await connection.run(`SET allowed_directories = [${directories.map(textLiteral).join(', ')}]`);
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
  } finally {
    connection.disconnectSync();
  }
}

function split(bindings: Bindings): {
  values: Record<string, DuckDBValue>;
  types: Record<string, DuckDBType>;
} {
  const entries = Object.entries(bindings);
  return {
    values: Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
    types: Object.fromEntries(entries.map(([name, { type }]) => [name, type])),
  };
}

/** What the engine says when it is the machine, not the question, that is at fault. */
const MACHINE_FAULT = /^(IO|Out of Memory|Permission|Connection|FATAL|INTERNAL|INTERRUPT) ?Error/i;

async function enter<Result>(gate: Gate, work: () => Promise<Result>): Promise<Result> {
  return gate.enter(async () => {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (MACHINE_FAULT.test(message)) {
        throw new WarehouseUnavailable(`the warehouse cannot be read or written: ${message}`, {
          cause: error,
        });
      }
      throw new QueryFailed(`the query has no exact answer: ${message}`, { cause: error });
    }
  });
}
