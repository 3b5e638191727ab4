import type { ApiClient } from './api-client.ts';
import type { CatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import { checkEntitlement } from './entitlement.ts';
import { quantile } from './quantile.ts';

export interface CheckLatencies {
  readonly checks: number;
  readonly p50: number;
  readonly p99: number;
}

export interface SteadyChecks {
  /** Waits for the last answers. Throws when a check was not answered. */
  stop(): Promise<CheckLatencies>;
}

/** Every feature of a customer that has limits. */
export const limitedFeatures = ({
  customers,
}: CatalogueFile): { readonly customer: string; readonly feature: string }[] =>
  Object.entries(customers).flatMap(([customer, { limits }]) =>
    Object.keys(limits).map((feature) => ({ customer, feature })),
  );

/** Asks for one entitlement after the other, at a steady rate and whether or not answers keep up, as an application in use would. */
export function startChecks(
  client: ApiClient,
  catalogue: CatalogueFile,
  checksPerSecond: number,
): SteadyChecks {
  const asked = limitedFeatures(catalogue);
  const latenciesMs: number[] = [];
  const answers: Promise<void>[] = [];
  const startedAt = performance.now();
  const check = async (of: (typeof asked)[number]): Promise<void> => {
    const sentAt = performance.now();
    await checkEntitlement(client, of);
    latenciesMs.push(performance.now() - sentAt);
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) * checksPerSecond) / 1_000;
    while (answers.length < due) {
      const of = asked[answers.length % asked.length];
      if (of === undefined) return;
      const answer = check(of);
      // Told by `stop`, not as an unhandled rejection before.
      answer.catch(() => undefined);
      answers.push(answer);
    }
  }, 1_000 / checksPerSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(answers);
      const sorted = latenciesMs.sort((a, b) => a - b);
      return { checks: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
    },
  };
}
