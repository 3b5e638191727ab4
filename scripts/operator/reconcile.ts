import { RECONCILE_HELP, reconcileCommand } from './reconcile-command.ts';
import { runCommand } from './terminal.ts';

await runCommand(reconcileCommand, RECONCILE_HELP);
