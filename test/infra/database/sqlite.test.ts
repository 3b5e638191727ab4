import { databaseContract } from '#test/contract/database/suite.ts';
import { openTemporary } from './sqlite/temporary.ts';

databaseContract('SQLite', openTemporary);
