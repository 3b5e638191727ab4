import type { DeadLetterReason } from '#domain/metering/dead-letter.ts';
import type { CatalogueFile } from '#infra/catalogue/catalogue-file.ts';
import type { BillingMonth } from './billing-month.ts';
import type { ChargesFile } from './charges-file.ts';
import type { SellerFile } from './seller-file.ts';

/** What one event says, as the demo itself knows it: the ground of its independent count. */
export interface Fact {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, string | number>>;
}

/** Which way a message goes in: as a request of `POST /v1/events`, or published to the topic by the producer itself. */
export type Way = 'http' | 'topic';

/** A message to send: an event, or something that must be refused, by the API at once or by the pipeline as a dead letter. */
export type Planned =
  | { readonly way: Way; readonly fact: Fact; readonly text: string }
  | { readonly way: Way; readonly fact?: never; readonly text: string; readonly reason: DeadLetterReason };

/** A hard limit that the story of reservations is about: of which customer, on which feature. */
export interface StoryLimit {
  readonly customer: string;
  readonly feature: string;
}

/** What a run of the demo sends. */
export interface DataSet {
  readonly title: string;
  /** Everything that is put before the first event. */
  readonly catalogue: CatalogueFile;
  /** What every customer is billed with at the end, and by whom. */
  readonly charges: ChargesFile;
  readonly seller: SellerFile;
  /** The time that is billed: all events are in it. */
  readonly month: BillingMonth;
  readonly storyLimit: StoryLimit;
  readonly planned: readonly Planned[];
  /** The range of event times, [from, to), for questions about all of it. */
  readonly from: string;
  readonly to: string;
}

export const textOf = ({ id, source, type, subject, time, data }: Fact): string =>
  JSON.stringify({ specversion: '1.0', id, source, type, subject, time, data });

/** One event in so many goes in over HTTP. Copies of an event stand side by side, so that some of them go one way and some the other. */
const HTTP_EVERY = 3;

export const wayOf = (index: number): Way => (index % HTTP_EVERY === 0 ? 'http' : 'topic');

export const plannedEvent = (fact: Fact, index: number): Planned => ({
  way: wayOf(index),
  fact,
  text: textOf(fact),
});

/** Everything a second time, each event the other way. */
export const plannedTwice = (planned: readonly Planned[]): Planned[] => [
  ...planned,
  ...planned.map((message): Planned =>
    message.fact === undefined ? message : { ...message, way: message.way === 'http' ? 'topic' : 'http' },
  ),
];
