import { moduleName, register } from '#pipelines/beam/registration.ts';
import '#pipelines/usage/wire-coders.ts';
import { CommitAndMark } from './commit-and-mark.ts';
import { CommitInWorker } from './commit-in-worker.ts';
import { FromCommitShard, ToCommitShard } from './commit-shards.ts';
import { FromPubsub } from './from-pubsub.ts';
import { PullMessages } from './read-messages.ts';
import { RecordMarkers } from './record-markers.ts';
import './worker-runtime.ts';

// Workers load this module by name: it brings the functions and coders of the graph, and how a worker opens what they work with.
register(moduleName(import.meta.url), {
  CommitAndMark,
  CommitInWorker,
  FromCommitShard,
  FromPubsub,
  PullMessages,
  RecordMarkers,
  ToCommitShard,
});
