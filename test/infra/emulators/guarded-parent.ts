import { startGuarded } from '#infra/emulators/guarded-process.ts';

/** Starts a program that would go on for long, says where it is, and stays until it is killed. */
const { pid, directory } = startGuarded({
  program: 'sh',
  args: () => ['-c', 'sleep 600 & wait'],
  environment: process.env,
});
process.send?.({ pid, directory });
setInterval(() => undefined, 60_000);
