import { moduleName, register } from '#pipelines/beam/registration.ts';
import { CommitUsage } from './commit-usage.ts';
import { ParseMessages } from './parse-messages.ts';
import './wire-coders.ts';

// Workers load this module by name and find in it every function and coder of the graph.
register(moduleName(import.meta.url), { CommitUsage, ParseMessages });
