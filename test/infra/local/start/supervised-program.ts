import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * A program that a test supervises. Its first argument is what it does, its second a file in which it counts its starts: `ready` runs
 * until it is told to stop; `fails` says why it cannot start; `once` ends by itself at its first start, after it was ready; `deaf` does not
 * listen when it is told to stop.
 */
const [behaviour = '', countPath = ''] = process.argv.slice(2);
const starts = 1 + (existsSync(countPath) ? Number(readFileSync(countPath, 'utf8')) : 0);
writeFileSync(countPath, String(starts));

process.on('message', (message) => process.send?.({ echo: message, starts }));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => {
  if (behaviour !== 'deaf') process.exit(0);
});

if (behaviour === 'fails') {
  process.send?.({ fault: 'it has no luck' });
  process.exitCode = 1;
  process.disconnect();
} else {
  process.send?.({ ready: true, starts }, undefined, undefined, () => {
    if (behaviour === 'once' && starts === 1) process.exit(3);
  });
}
