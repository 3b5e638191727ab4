import { dayStart, HOURS_PER_DAY, type Instant } from '#domain/instant.ts';
import { readCatalogueRow } from '#infra/catalogue/load-catalogue.ts';
import type { Database } from '#infra/database/database.ts';
import { hoursKeptFrom } from '#infra/usage/cells.ts';
import { moveCatalogueDay, rollDays } from '#infra/usage/roll-days.ts';

/**
 * Sees to it that the days whose hour cells are not kept any more are read from day rows, also in a namespace in which nothing was ever rolled: what is
 * imported into them goes nowhere else. No event of a topic is that old, so nothing is committed to them meanwhile but by imports.
 */
export async function readyOldDays(database: Database, namespace: string, now: Instant): Promise<void> {
  const lastOldDay = hoursKeptFrom(now) / HOURS_PER_DAY - 1;
  const isReady = async (): Promise<boolean> =>
    (await readCatalogueRow(database, namespace)).rolledThrough >= lastOldDay;
  if (await isReady()) return;
  while ((await rollDays(database, namespace, dayStart(lastOldDay + 1))) > 0);
  // A day without usage is rolled by there being no row of it.
  if (!(await isReady())) await moveCatalogueDay(database, namespace, 'rolledThrough', lastOldDay);
}
