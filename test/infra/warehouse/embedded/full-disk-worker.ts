import { eventRow, failureOf, total } from '#test/contract/warehouse/rows.ts';
import { openWarehouseIn } from './temporary.ts';

/* Runs where files may not grow beyond a limit, as on a full disk: says what a small, a large and again a small append lead to. */

const append = async (rows: number, subject: string): Promise<string> => {
  const error = await failureOf(
    warehouse.appendEvents(
      Array.from({ length: rows }, (_, index) => eventRow(`${subject}-${index}`, { subject })),
    ),
  );
  return error === undefined
    ? 'appended'
    : `${error.name}, ${String((error.cause as { code?: string }).code)}`;
};

const { warehouse, close } = await openWarehouseIn(process.argv[2] ?? '');
const outcomes = [await append(10, 'small'), await append(20_000, 'large'), await append(10, 'again')];
console.log(JSON.stringify({ outcomes, total: await total(warehouse) })); // eslint-disable-line no-console -- its answer
await close();
