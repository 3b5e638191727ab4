import type { Backend } from '#infra/cloud/backend.ts';
import type { OpenedStores } from '#infra/stores/opened-stores.ts';
import type { Topic } from '#infra/topic/topic.ts';
import type { ApiProcess } from './api-process.ts';
import type { Planned } from './data-set.ts';
import type { DemoPipeline } from './demo-pipeline.ts';

/** The stores as the demo looks into them. */
export interface DemoStores extends Pick<OpenedStores, 'database' | 'warehouse'> {
  /** The one that producers publish to. */
  readonly topic: Pick<Topic, 'publish'>;
}

/** How much of everything there is: emulators take a small part of what the embedded stores take. */
export interface DemoScale {
  /** Of the made-up day. */
  readonly events: number;
  readonly lateEvents: number;
  readonly steadyLoad: SteadyLoad;
  readonly checksPerSecond: number;
}

export interface SteadyLoad {
  readonly eventsPerSecond: number;
  readonly seconds: number;
}

/** What the demo runs on. */
export interface DemoBacking {
  readonly name: Backend;
  readonly stores: DemoStores;
  /** Where the data lies, for a person. */
  readonly data: string;
  readonly scale: DemoScale;
  startApi(): Promise<ApiProcess>;
  startPipeline(latenessSeconds: number): Promise<DemoPipeline>;
  /** Whether everything that was sent is committed, appended or refused. */
  isDrained(sent: readonly Planned[]): Promise<boolean>;
  close(): Promise<void>;
}
