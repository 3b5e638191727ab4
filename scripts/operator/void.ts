import { runCommand } from './terminal.ts';
import { VOID_HELP, voidCommand } from './void-command.ts';

await runCommand(voidCommand, VOID_HELP);
