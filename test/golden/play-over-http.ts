import { expect } from 'chai';
import { formatInstant } from '#domain/calendar/rfc3339.ts';
import { instant } from '#test/infra/usage/usage-fixture.ts';
import type { TestApi } from '#test/support/api-server.ts';
import { eventually } from '#test/support/eventually.ts';
import type { GoldenContract, Step } from './golden-contract.ts';
import { catchUp, commit, inBatches, type Stage } from './play-contract.ts';

/** Plays a contract with nothing but calls of the API, except for usage, which is committed beside it as the pipeline does. */
export async function playOverHttp(on: TestApi, stage: Stage, contract: GoldenContract): Promise<void> {
  await save(on, contract);
  for (const steps of inBatches(contract.steps)) {
    const [first] = steps;
    const last = steps.at(-1);
    if (first === undefined || last === undefined) continue;
    stage.clock.now = instant(last.at);
    if (first.do === 'use') await commit(stage, steps);
    else await take(on, stage, first);
  }
}

async function save(on: TestApi, { meters, sellers, customers, plans }: GoldenContract): Promise<void> {
  for (const [key, meter] of Object.entries(meters ?? {})) await make(on, 'PUT', `/v1/meters/${key}`, meter);
  for (const [key, seller] of Object.entries(sellers ?? {}))
    await make(on, 'PUT', `/v1/sellers/${key}`, seller);
  for (const [key, customer] of Object.entries(customers))
    await make(on, 'PUT', `/v1/customers/${key}`, customer);
  for (const [key, versions] of Object.entries(plans ?? {})) {
    await make(on, 'PUT', `/v1/plans/${key}`, { name: key });
    for (const [index, version] of versions.entries()) {
      await make(on, 'POST', `/v1/plans/${key}/versions`, version);
      await make(on, 'POST', `/v1/plans/${key}/versions/${index + 1}/publish`);
    }
  }
}

async function take(on: TestApi, stage: Stage, step: Exclude<Step, { do: 'use' }>): Promise<void> {
  switch (step.do) {
    case 'subscribe': {
      const { request, customer } = step;
      const body = { ...request, ...textOfTimes(request) };
      const made = await make(on, 'POST', `/v1/customers/${customer}/subscriptions`, body);
      stage.subscriptions.set(step.as, (made as { subscription: { id: string } }).subscription.id);
      return;
    }
    case 'change': {
      const { kind, ...asked } = step.change;
      const id = stage.subscriptions.get(step.subscription);
      await make(on, 'POST', `/v1/subscriptions/${id}/${kind}`, { ...asked, ...textOfTimes(asked) });
      return;
    }
    case 'write': {
      const lines = step.lines.map(({ period, quantity, unitPrice, taxRates, ...line }) => ({
        ...line,
        period: { from: formatInstant(period.from), to: formatInstant(period.to) },
        ...(quantity === null ? {} : { quantity }),
        ...(unitPrice === null ? {} : { unitPrice }),
        ...(taxRates === null ? {} : { taxRates }),
      }));
      const made = await make(on, 'POST', '/v1/invoices', { customer: step.customer, lines });
      await make(on, 'POST', `/v1/invoices/${(made as { id: string }).id}/issue`);
      return;
    }
    case 'run': {
      await catchUp(stage);
      const { id } = (await make(on, 'POST', '/v1/invoice-runs', {})) as { id: string };
      await eventually('the invoice run is done', async () => {
        const { body } = await on.call({ path: `/v1/invoice-runs/${id}` });
        return (body as { state: string }).state === 'done';
      });
    }
  }
}

/** Times of a request as the API takes them. */
const textOfTimes = (request: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request).flatMap(([name, value]: [string, unknown]) =>
      typeof value === 'number' ? [[name, formatInstant(value)]] : [],
    ),
  );

async function make(on: TestApi, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await on.call({ method, path, ...(body === undefined ? {} : { body }) });
  expect(answer.status, `${method} ${path}: ${answer.text}`).to.be.within(200, 299);
  return answer.body;
}
