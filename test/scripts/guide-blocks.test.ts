import { expect } from 'chai';
import { blocksOf } from '../../scripts/guide-blocks.ts';

describe('a guide, block by block', () => {
  it('is headings, blocks of code and lines of prose; what looks like one of them inside of code is code', () => {
    const guide = '# Title\n## One\ntext\n\n```json answer\n## {}\n\n```\n### Two\n```\nplain\n```\n';
    expect([...blocksOf(guide)]).to.deep.equal([
      { kind: 'prose', text: '# Title' },
      { kind: 'heading', text: 'One' },
      { kind: 'prose', text: 'text' },
      { kind: 'code', language: 'json', note: 'answer', text: '## {}\n' },
      { kind: 'heading', text: 'Two' },
      { kind: 'code', language: '', note: '', text: 'plain' },
    ]);
  });
});
