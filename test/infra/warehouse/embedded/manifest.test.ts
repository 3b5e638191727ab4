import { expect } from 'chai';
import { commonFaults } from '#infra/database/hostile/faults.ts';
import { openHostile } from '#infra/database/hostile/open-hostile.ts';
import { createManifest } from '#infra/warehouse/embedded/manifest.ts';
import { warehouseSegment, type NewSegment } from '#infra/warehouse/segment.ts';
import { simulateSeeds } from '#test/support/simulation.ts';

const SEEDS = 150;

const segment = (id: string, rows: number): NewSegment => ({
  table: 'events',
  id,
  file: `events-${id}.tsv`,
  format: 'text',
  rows,
  bytes: rows,
  minDay: 1,
  maxDay: 1,
  schemaVersion: 1,
});

describe('the manifest of the embedded warehouse', () => {
  it('holds every row once at every moment, whoever appends, compacts and sweeps, whatever the database does', () =>
    simulateSeeds(SEEDS, async (sim) => {
      const manifest = createManifest(
        openHostile({ tables: [warehouseSegment], schedule: sim, faults: commonFaults }),
      );
      // Powers of two: a sum tells which appends are in it, and whether one is in it twice.
      const acknowledged = new Set<number>();
      const started = new Set<number>();
      const settled = new Set<string>();

      const append = async (bit: number): Promise<void> => {
        const rows = 2 ** bit;
        started.add(rows);
        for (let attempt = 0; ; attempt++) {
          const added = await manifest.add(segment(`a${bit}-${attempt}`, rows));
          settled.add(`a${bit}-${attempt}`);
          await sim.point('appended');
          if (!added) continue;
          acknowledged.add(rows);
          return;
        }
      };
      const check = async (): Promise<void> => {
        const before = [...acknowledged];
        const live = await manifest.live('events');
        const total = live.reduce((sum, { rows }) => sum + rows, 0);
        for (const rows of before) expect(total & rows, 'an acknowledged append').to.equal(rows);
        const after = [...started].reduce((sum, rows) => sum + rows, 0);
        expect(total & ~after, 'rows that nobody appended').to.equal(0);
        const files = live.map(({ id }) => id);
        expect(new Set(files).size).to.equal(files.length);
      };
      const compact = async (name: string): Promise<void> => {
        for (let run = 0; run < 4; run++) {
          const inputs = (await manifest.live('events')).slice(0, 3);
          await sim.point('merging');
          const rows = inputs.reduce((sum, input) => sum + input.rows, 0);
          if (inputs.length > 0) await manifest.replace(inputs, segment(`${name}-${run}`, rows));
          await check();
        }
      };
      const sweep = async (): Promise<void> => {
        for (let bit = 0; bit < 6; bit++) {
          const abandoned = await manifest.abandon('events', `a${bit}-0`, 'file');
          const known = (await manifest.all('events')).find(({ id }) => id === `a${bit}-0`);
          expect(known?.state === 'abandoned').to.equal(abandoned);
          for (const closed of await manifest.all('events')) {
            // The grace keeps a row longer than its writer waits for its answer.
            if (closed.state === 'replaced' && settled.has(closed.id)) await manifest.forget(closed);
          }
          await check();
        }
      };

      await Promise.all([
        ...[0, 1, 2, 3, 4, 5].map((bit) => sim.spawn(`append-${bit}`, () => append(bit))),
        sim.spawn('compact-1', () => compact('c1')),
        sim.spawn('compact-2', () => compact('c2')),
        sim.spawn('sweep', sweep),
      ]);
      await check();
      const total = (await manifest.live('events')).reduce((sum, { rows }) => sum + rows, 0);
      expect(total).to.equal(63);
    }));
});
