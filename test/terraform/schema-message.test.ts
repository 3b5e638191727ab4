import { expect } from 'chai';
import { bytesField, message, numberField, textField } from '../../terraform/offline-provider/protobuf.ts';
import { schemaMessage } from '../../terraform/offline-provider/schema-message.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('protobuf fields', () => {
  // The examples of the encoding's own documentation.
  it('are encoded as protobuf does', () => {
    expect(numberField(1, 150)).to.deep.equal(hex('08 96 01'));
    expect(textField(2, 'testing')).to.deep.equal(hex('12 07 74 65 73 74 69 6e 67'));
    expect(bytesField(3, numberField(1, 150))).to.deep.equal(hex('1a 03 08 96 01'));
    expect(message(textField(1, ''), numberField(2, 0))).to.deep.equal(Buffer.alloc(0));
  });

  it('tell lengths above 127 in more than one byte', () => {
    expect(textField(1, 'x'.repeat(300)).subarray(0, 3)).to.deep.equal(hex('0a ac 02'));
  });
});

describe('the message of a schema', () => {
  it('names types, arguments and what they are, by the numbers of the protocol', () => {
    const bytes = schemaMessage({
      origin: { package: '', provider: '', licence: '' },
      provider: { attributes: {}, blocks: {} },
      resources: { g: { attributes: { n: { type: 'string', is: 'oc' } }, blocks: {} } },
      dataSources: {},
    });
    const attribute = '0a 01 6e 12 08 22 73 74 72 69 6e 67 22 28 01 30 01';
    const block = `12 11 ${attribute}`;
    const schema = `12 13 ${block}`;
    const entry = `0a 01 67 12 15 ${schema}`;
    expect(bytes).to.deep.equal(hex(`0a 02 12 00 12 1a ${entry}`));
  });
});
