import { moduleName, register } from '#pipelines/beam/registration.ts';
import { SelectFolded, SelectTallies } from './read-batch.ts';

// What both graphs have in common.
register(moduleName(import.meta.url), { SelectFolded, SelectTallies });
