import './compat.ts';
import { version } from './sdk.ts';

/** The standard coders that our worker reads and writes: what a runner may use on the wire beside those of the pipeline. */
export const WORKER_CODERS = [
  'beam:coder:bytes:v1',
  'beam:coder:string_utf8:v1',
  'beam:coder:kv:v1',
  'beam:coder:bool:v1',
  'beam:coder:varint:v1',
  'beam:coder:double:v1',
  'beam:coder:iterable:v1',
  'beam:coder:nullable:v1',
  'beam:coder:length_prefix:v1',
  'beam:coder:windowed_value:v1',
  'beam:coder:global_window:v1',
  'beam:coder:interval_window:v1',
] as const;

/** Draining truncates restrictions. */
export const TRUNCATE_URN = 'beam:transform:sdf_truncate_sized_restrictions:v1';
/** Progress is answered with metrics, not with the element counts of old. */
const PROGRESS_URN = 'beam:protocol:progress_reporting:v1';
/** Metrics may be named by short ids, which are explained when they are asked for. */
const SHORT_IDS_URN = 'beam:protocol:monitoring_info_short_ids:v1';
/** One container starts as many workers as it is told to. */
const SIBLINGS_URN = 'beam:protocol:sibling_workers:v1';

/**
 * What a runner may ask of our worker, beyond what every worker does. Not among it: several cores for one process (Node runs JavaScript on
 * one, so that a runner which is not told otherwise starts a process for each), worker status, samples of data, data in control messages.
 */
export const workerCapabilities = (): string[] => [
  ...WORKER_CODERS,
  PROGRESS_URN,
  SHORT_IDS_URN,
  SIBLINGS_URN,
  TRUNCATE_URN,
  `beam:version:sdk_base:apache/beam_typescript_sdk:${version.version}`,
];
