import type { Instant } from '#domain/instant.ts';
import {
  column,
  commitTime,
  defineTable,
  jsonColumn,
  nullable,
  nullableCommitTime,
  nullableJson,
  type Table,
} from '#infra/database/table.ts';
import type { Row } from '#infra/usage/tables.ts';

/**
 * What an import is at. `staging` takes parts; `checking` goes through them with the meters of now and changes nothing; `applying` counts them;
 * `clearing` lets the parts go. It ends `applied` or `canceled`.
 */
export const IMPORT_STATES = ['staging', 'checking', 'applying', 'clearing', 'applied', 'canceled'] as const;
export type ImportState = (typeof IMPORT_STATES)[number];

/** What became of the events that were looked at so far. */
export interface ImportCounts {
  readonly accepted: number;
  /** Were there before, with what they say. */
  readonly duplicates: number;
  /** Bear the name of an event that says something else. */
  readonly conflicts: number;
  /** Were voided before they came. */
  readonly voided: number;
  /** Refused by the meters or the schema of their type. */
  readonly refused: number;
}

export const NOTHING_IMPORTED: ImportCounts = {
  accepted: 0,
  duplicates: 0,
  conflicts: 0,
  voided: 0,
  refused: 0,
};

/** A line that cannot be imported, and why. */
export interface RefusedLine {
  readonly part: number;
  /** From 1 on, within the part. */
  readonly line: number;
  readonly code: string;
  readonly detail: string;
}
/** So many are named of each part, and of the whole. */
export const REFUSED_LINES_NAMED_MAX = 100;

/** The next line: lines count from 1. */
export interface LinePosition {
  readonly part: number;
  readonly line: number;
}

/** Old events that come with calls of their own, and not over a topic. */
export const stagedImport = defineTable('staged_import', {
  columns: {
    namespace: column('string'),
    id: column('string'),
    state: jsonColumn<ImportState>(),
    reason: column('string'),
    principal: column('string'),
    /** Lines that are refused are left out, instead of keeping the whole from being applied. */
    skipRefused: column('bool'),
    counts: jsonColumn<ImportCounts>(),
    /** The first lines that the meters refuse. */
    refused: jsonColumn<readonly RefusedLine[]>(),
    /** All lines before are imported; null before the first. */
    position: nullableJson<LinePosition>(),
    /** Where the lines of the last transaction begin, as long as it is not known that the warehouse has them; and when they were committed. */
    untoldFrom: nullableJson<LinePosition>(),
    committedAt: nullableCommitTime(),
    /** What kept it from being applied, or stopped it last; null when nothing did. */
    fault: nullable('string'),
    /** The correction that takes all of it back, if one was asked for. */
    undoneBy: nullable('string'),
    worker: nullable('string'),
    leaseUntil: nullable('timestamp'),
    createdAt: column('timestamp'),
    changedAt: commitTime(),
    finishedAt: nullable('timestamp'),
  },
  key: ['namespace', 'id'],
});

/** What is known of one part without opening it. */
export const importPart = defineTable('import_part', {
  columns: {
    namespace: column('string'),
    import: column('string'),
    /** From 1 on, as the caller numbers them. */
    part: column('int64'),
    /** SHA-256 of its bytes in hex: sent again, it is told from another one. */
    hash: column('string'),
    bytes: column('int64'),
    events: column('int64'),
    refusedLines: column('int64'),
    refused: jsonColumn<readonly RefusedLine[]>(),
    /** Of its events the first and the last; null without any. */
    from: nullable('timestamp'),
    through: nullable('timestamp'),
  },
  key: ['namespace', 'import', 'part'],
});

/** Its lines, compressed. They go when the import has ended. */
export const importPartLines = defineTable('import_part_lines', {
  columns: {
    namespace: column('string'),
    import: column('string'),
    part: column('int64'),
    lines: column('bytes'),
  },
  key: ['namespace', 'import', 'part'],
});

/** The imports that somebody has to work on. */
export const openImport = defineTable('import_open', {
  columns: { namespace: column('string'), import: column('string') },
  key: ['namespace', 'import'],
});

export type ImportRow = Row<typeof stagedImport>;
export type ImportPartRow = Row<typeof importPart>;

export interface ImportName {
  readonly namespace: string;
  readonly id: string;
}

/** From the first event to the last. */
export interface ImportSpan {
  readonly from: Instant;
  readonly through: Instant;
}

export const IMPORT_TABLES: readonly Table<object>[] = [
  stagedImport,
  importPart,
  importPartLines,
  openImport,
];
