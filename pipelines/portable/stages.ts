import { moduleName, register } from '#pipelines/beam/registration.ts';
import '#pipelines/usage/wire-coders.ts';
import { CommitInWorker } from './commit-in-worker.ts';
import { FromCommitShard, ToCommitShard } from './commit-shards.ts';
import { PullMessages } from './read-messages.ts';
import './worker-runtime.ts';

// Workers load this module by name: it brings the functions and coders of the graph, and how a worker opens what they work with.
register(moduleName(import.meta.url), { CommitInWorker, FromCommitShard, PullMessages, ToCommitShard });
