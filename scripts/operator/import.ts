import { IMPORT_HELP, importCommand } from './import-command.ts';
import { runCommand } from './terminal.ts';

await runCommand(importCommand, IMPORT_HELP);
