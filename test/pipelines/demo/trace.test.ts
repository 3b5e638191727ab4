import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measure } from '#pipelines/demo/expected.ts';
import { keepStoryEvent, pieceOf } from '#pipelines/demo/reservation-story.ts';
import { traceOfUsage } from '#pipelines/demo/trace.ts';
import { inLocalDirectory } from '#test/support/local-stores.ts';

describe('a trace', () => {
  it('leaves its customer room for the reservations, however few rows it has', () =>
    inLocalDirectory(async (directory) => {
      for (const rows of [1, 3, 50]) {
        const file = join(directory, 'few.csv');
        const lines = Array.from(
          { length: rows },
          (_, index) => `2023-11-16 18:00:${10 + index}.5,1${index},3`,
        );
        await writeFile(file, ['TIMESTAMP,ContextTokens,GeneratedTokens', ...lines].join('\n'));
        const set = await traceOfUsage(file, Date.now());
        const facts = set.planned.flatMap(({ fact }) => (fact ? [fact] : []));
        const meter = set.catalogue.meters['context-tokens'];
        const limit = set.catalogue.customers['few']?.limits['context-tokens']?.[0];
        const left = BigInt(limit?.amount ?? 0) - BigInt(measure(meter!, facts));
        expect(pieceOf(left) >= BigInt(keepStoryEvent(set).storyEvent.actual)).to.equal(true);
      }
    }));

  it('lies in the month that is billed, with its last event just before the end, or is refused before the run', () =>
    inLocalDirectory(async (directory) => {
      const file = join(directory, 'days.csv');
      const trace = async (lastDay: number) => {
        const rows = ['2023-11-01 00:00:00.25,1,3', `2023-11-${lastDay} 00:00:00.5,2,3`];
        await writeFile(file, ['TIMESTAMP,ContextTokens,GeneratedTokens', ...rows].join('\n'));
        // The month before the 1st of March is the shortest.
        return traceOfUsage(file, Date.UTC(2027, 2, 1, 12));
      };
      const { planned, month, to } = await trace(26);
      const times = planned.map(({ fact }) => Date.parse(fact?.time ?? ''));
      expect(month).to.deep.equal({ from: '2027-02-01T00:00:00.000Z', to });
      expect(times[0]).to.be.at.least(Date.parse(month.from));
      expect(times[1]).to.equal(Date.parse(month.to) - 1);
      const refusal = await trace(28).catch(String);
      expect(refusal).to.include('spans more than 26 days');
    }));
});
