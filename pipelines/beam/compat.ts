// Every repair of the SDK, applied once when this module is loaded: before a pipeline is built, and in a worker before it
// connects. README.md lists what each is for; each has a regression test.
import { repairBundleProcessor } from './repairs/bundle-processor.ts';
import { repairCoders } from './repairs/coders.ts';
import { repairDataSink } from './repairs/data-sink.ts';
import { repairGrpcClients } from './repairs/grpc-clients.ts';
import { repairMetrics } from './repairs/metrics.ts';
import { repairWireCoders } from './repairs/wire-coders.ts';
import { repairWorker } from './repairs/worker.ts';
import { SdkMoved } from './sdk-moved.ts';
import { version } from './sdk.ts';

/** The repairs reach into internals, so they are right for exactly one version. */
export const SDK_VERSION = '2.49.0';

const found: string = version.version;
if (found !== SDK_VERSION) throw new SdkMoved(`everything in version ${found}`);
repairGrpcClients();
repairCoders();
repairWireCoders();
repairMetrics();
repairBundleProcessor();
repairDataSink();
repairWorker();
