import { INVOICES_HELP, invoicesCommand } from './invoices-command.ts';
import { runCommand } from './terminal.ts';

await runCommand(invoicesCommand, INVOICES_HELP);
