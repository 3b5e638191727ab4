import { expect } from 'chai';
import { z } from 'zod';
import { readVariables, wholeNumberText } from '#infra/variables.ts';

const schema = z.object({
  PORT: wholeNumberText(1, 65_535).default(8_080),
  NAME: z.string({ error: 'is missing' }),
});

describe('variables of an environment', () => {
  it('have defaults, and one that is empty counts as not set', () => {
    expect(readVariables(schema, { PORT: '', NAME: 'a' })).to.deep.equal({ PORT: 8_080, NAME: 'a' });
    expect(() => readVariables(schema, { NAME: '' })).to.throw('is missing');
  });

  it('are all named where several are wrong', () => {
    expect(() => readVariables(schema, { PORT: '70000' })).to.throw(
      /the environment is wrong:[^]*PORT[^]*NAME|the environment is wrong:[^]*NAME[^]*PORT/,
    );
  });

  for (const text of ['0x10', '1e3', '-1', '1.5', ' 7', '0', '65536', '1'.repeat(16)])
    it(`take no ${JSON.stringify(text)} for a port`, () => {
      expect(() => readVariables(schema, { PORT: text, NAME: 'a' })).to.throw('PORT');
    });
});
