import { useEmulators } from '#test/support/emulators.ts';
import { openTemporarySpanner } from '#test/support/spanner-database.ts';
import { databaseContract } from './suite.ts';

describe('the Spanner driver on the emulator', () => {
  const emulators = useEmulators(['spanner']);
  databaseContract('Spanner', (tables) => openTemporarySpanner(emulators, tables));
});
