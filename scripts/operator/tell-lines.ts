import { LINE_KINDS, type LineCounts, type LineKind } from '#infra/transfer/format.ts';

const NAMES: Readonly<Record<LineKind, readonly [one: string, many: string]>> = {
  meter: ['meter version', 'meter versions'],
  eventType: ['event type', 'event types'],
  feature: ['feature', 'features'],
  seller: ['seller', 'sellers'],
  plan: ['plan', 'plans'],
  planVersion: ['plan version', 'plan versions'],
  customer: ['customer', 'customers'],
  subject: ['subject', 'subjects'],
  limits: ['limited feature', 'limited features'],
  numberSeries: ['number series', 'number series'],
  billedItem: ['billed item', 'billed items'],
  subscription: ['subscription', 'subscriptions'],
  event: ['event', 'events'],
};

/** `2 meter versions, 1 customer, 10,000 events`: what there is of each kind, events always. */
export const tellLines = (lines: LineCounts): string =>
  LINE_KINDS.filter((kind) => lines[kind] > 0 || kind === 'event')
    .map((kind) => `${lines[kind].toLocaleString('en-US')} ${NAMES[kind][lines[kind] === 1 ? 0 : 1]}`)
    .join(', ');
