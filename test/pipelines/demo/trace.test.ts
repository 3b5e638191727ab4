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
});
