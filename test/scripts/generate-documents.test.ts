import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { generateDocuments } from '../../scripts/generate-documents.ts';

describe('the documents that are made from the code', () => {
  it('are as the code would make them now: `npm run generate` brings them up to date', async () => {
    for (const { path, content } of await generateDocuments())
      expect(await readFile(path, 'utf8'), path).to.equal(content);
  }).timeout(20_000);
});
