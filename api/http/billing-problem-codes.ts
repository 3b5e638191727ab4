/** Problems of what is sold and billed: a part of `PROBLEM_CODES`, ordered by status. */
export const BILLING_PROBLEM_CODES = {
  invalid_plan: {
    status: 400,
    title: 'The plan cannot be saved as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_plan_version: {
    status: 400,
    title: 'The version of the plan cannot be saved or published as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_seller: {
    status: 400,
    title: 'The seller cannot be saved as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_subscription: {
    status: 400,
    title: 'The subscription cannot be made or saved as it is',
    mend: 'Mend every violation that the answer names.',
  },
  invalid_invoice_run: {
    status: 400,
    title: 'The run cannot be started as it is',
    mend: 'Mend every violation that the answer names.',
  },
  plan_not_found: {
    status: 404,
    title: 'There is no such plan',
    mend: 'Save it first.',
  },
  plan_version_not_found: {
    status: 404,
    title: 'The plan has no such version',
    mend: 'List the versions of the plan.',
  },
  seller_not_found: {
    status: 404,
    title: 'There is no such seller',
    mend: 'Save it first; an archived one has to be saved again.',
  },
  subscription_not_found: {
    status: 404,
    title: 'There is no such subscription',
    mend: "List the customer's subscriptions.",
  },
  invoice_not_found: {
    status: 404,
    title: 'There is no such invoice',
    mend: 'Look at `GET /v1/invoices`.',
  },
  invoice_run_not_found: {
    status: 404,
    title: 'There is no such invoice run',
    mend: 'Look at `GET /v1/invoice-runs`.',
  },
  invoice_line_not_found: {
    status: 404,
    title: 'The invoice has no such line',
    mend: 'Look at its lines in `GET /v1/invoices/{id}`.',
  },
  plan_archived: {
    status: 409,
    title: 'The plan is archived',
    mend: 'Save it again to have it back, or choose another.',
  },
  plan_version_not_active: {
    status: 409,
    title: 'The version of the plan cannot be subscribed to',
    mend: 'Publish it if it is a draft, or choose an active version.',
  },
  plan_version_published: {
    status: 409,
    title: 'The version of the plan is published and never changes',
    mend: 'Make a new version, and move subscriptions to it.',
  },
  plan_version_archived: {
    status: 409,
    title: 'The version of the plan is archived',
    mend: 'Make a new version.',
  },
  too_many_plan_versions: {
    status: 409,
    title: 'The plan has as many versions as it can have',
    mend: 'Make another plan of the same family.',
  },
  seller_needed: {
    status: 409,
    title: 'Several sellers are there, and none is meant',
    mend: 'Name one, give the customer one, or save one with the key `default`.',
  },
  too_many_sellers: {
    status: 409,
    title: 'The namespace has as many sellers as it can have',
    mend: 'Save one that is archived again, under what it is to say.',
  },
  too_many_subscriptions: {
    status: 409,
    title: 'The customer has as many subscriptions as it can have',
    mend: 'Change one of them: a subscription can go to any plan.',
  },
  invoice_state: {
    status: 409,
    title: 'The invoice is in a state in which this cannot be done',
    mend: 'Look at its state: an issued invoice is void, paid or given up, and never changes.',
  },
  invoice_parked: {
    status: 409,
    title: 'The invoice is held for a decision',
    mend: 'Look at `parkedFor`, then release it, compute it again or void it.',
  },
  invoice_not_parked: {
    status: 409,
    title: 'Nothing holds the invoice',
    mend: 'Nothing has to be done: it is issued as it is.',
  },
  invoice_not_proved: {
    status: 409,
    title: 'The warehouse does not have exactly the events that the invoice bills',
    mend: 'Try again once all events are in the warehouse; if it stays so, verify the invoice.',
  },
  customer_has_subscriptions: {
    status: 409,
    title: 'Subscriptions of the customer go on',
    mend: 'Cancel them first.',
  },
  prices_not_served: {
    status: 409,
    title: 'Prices of plans ask what this version of the meter cannot tell',
    mend: 'Give the version what the violations name, or move subscriptions off the versions of the plans and archive those.',
  },
  change_not_possible: {
    status: 422,
    title: 'The subscription cannot be changed like this',
    mend: 'Mend every violation that the answer names; a preview tells what a change does.',
  },
  invalid_invoice: {
    status: 422,
    title: 'The invoice cannot be made as it is',
    mend: 'Mend every violation that the answer names.',
  },
} as const;
