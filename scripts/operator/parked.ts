import { PARKED_HELP, parkedCommand } from './parked-command.ts';
import { runCommand } from './terminal.ts';

await runCommand(parkedCommand, PARKED_HELP);
