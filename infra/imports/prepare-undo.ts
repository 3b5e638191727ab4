import { prepareCorrection, type PreparedCorrection } from '#infra/corrections/prepare-correction.ts';
import type { Database } from '#infra/database/database.ts';
import { inSnapshot } from '#infra/database/in-snapshot.ts';
import { readImport } from './imports.ts';
import type { ImportName } from './tables.ts';

/** The correction that takes back all that an import has counted: its events name it. Throws `ImportError` `import_not_found`. */
export async function prepareUndo(database: Database, name: ImportName): Promise<PreparedCorrection> {
  const { span, row } = await inSnapshot(database, (snapshot) => readImport(snapshot, name));
  const filter = {
    from: span?.from ?? 0,
    to: (span?.through ?? 0) + 1,
    committedFrom: row.createdAt,
    import: row.id,
  };
  const prepared = await prepareCorrection(database, { namespace: row.namespace, action: 'void', filter });
  return { ...prepared, asOf: Math.max(prepared.asOf, row.committedAt ?? prepared.asOf) };
}
