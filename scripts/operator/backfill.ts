import { BACKFILL_HELP, backfillCommand } from './backfill-command.ts';
import { runCommand } from './terminal.ts';

await runCommand(backfillCommand, BACKFILL_HELP);
