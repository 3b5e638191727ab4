import { KEYS_HELP, keysCommand } from './keys-command.ts';
import { runCommand } from './terminal.ts';

await runCommand(keysCommand, KEYS_HELP);
