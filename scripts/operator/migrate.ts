import { MIGRATE_HELP, migrateCommand } from './migrate-command.ts';
import { runCommand } from './terminal.ts';

await runCommand(migrateCommand, MIGRATE_HELP);
