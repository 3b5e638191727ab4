import type { CatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import type { ApiClient } from './api-client.ts';
import type { Fact } from './data-set.ts';
import { checkEntitlement, type LimitAnswer } from './entitlement.ts';
import { measure } from './expected.ts';
import { limitedFeatures } from './steady-checks.ts';

/** What is used of one limit, as a check answers it and as it was counted independently. */
export interface LimitLine {
  readonly customer: string;
  readonly feature: string;
  readonly limitKey: string;
  readonly expected: string;
  readonly used: string;
}

/** Every limit of the catalogue, each in its own period. */
export async function compareLimits(
  client: ApiClient,
  catalogue: CatalogueFile,
  facts: readonly Fact[],
): Promise<LimitLine[]> {
  const lines: LimitLine[] = [];
  for (const { customer, feature } of limitedFeatures(catalogue)) {
    const definition = catalogue.meters[catalogue.features[feature]?.meter ?? ''];
    if (definition === undefined) throw new Error(`the catalogue has no meter for ${feature}`);
    const subjects = catalogue.customers[customer]?.subjects ?? [];
    const own = facts.filter(({ subject }) => subjects.includes(subject));
    const { limits } = await checkEntitlement(client, { customer, feature });
    for (const { limitKey, used, period } of limits) {
      const expected = measure(definition, own.filter(isIn(period)));
      lines.push({ customer, feature, limitKey, expected, used });
    }
  }
  return lines;
}

const isIn =
  ({ from, to }: LimitAnswer['period']) =>
  ({ time }: Fact): boolean =>
    Date.parse(time) >= Date.parse(from) && Date.parse(time) < Date.parse(to);
