import { expect } from 'chai';
import { isBinaryMode, readBinaryAttributes } from '#api/events/binary-mode.ts';

describe('an event in binary mode', () => {
  it('is told by ce-specversion alone', () => {
    expect(isBinaryMode({ 'ce-specversion': '1.0' })).to.equal(true);
    expect(isBinaryMode({ 'ce-id': '1', 'content-type': 'application/json' })).to.equal(false);
  });

  it('has its ce- headers and its content type as attributes, and no other header', () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'e-1',
      'content-type': 'application/json',
      'millrace-namespace': 'other',
      'millrace-heartbeat': '1',
      authorization: 'Bearer x',
    };
    expect(readBinaryAttributes(headers)).to.deep.equal({
      attributes: { 'ce-specversion': '1.0', 'ce-id': 'e-1', 'content-type': 'application/json' },
      refusal: undefined,
    });
  });

  it('is percent-decoded once, and quoted strings of older senders are unquoted before', () => {
    const read = (value: string): string | undefined =>
      readBinaryAttributes({ 'ce-subject': value }).attributes['ce-subject'];
    expect(read('Z%C3%BCrich%2F7')).to.equal('Zürich/7');
    expect(read('%F0%9F%98%80')).to.equal('😀');
    expect(read('100%2525')).to.equal('100%25');
    expect(read('a+b c')).to.equal('a+b c');
    expect(read('"quoted \\"x\\" %20"')).to.equal('quoted "x"  ');
    expect(read('"')).to.equal('"');
  });

  it('is refused, with what could be read, where a header is not encoded or is longer than a topic carries', () => {
    for (const value of ['100%', '%zz', '%C3', '%FF', 'Z\u00fcrich']) {
      const { attributes, refusal } = readBinaryAttributes({ 'ce-id': value, 'ce-source': 's' });
      expect(refusal?.reason, value).to.equal('attribute_invalid');
      expect(refusal?.detail, value).to.contain('ce-id');
      expect(attributes).to.deep.equal({ 'ce-source': 's' });
    }
    const long = readBinaryAttributes({ 'ce-note': 'x'.repeat(1_025) });
    expect(long.refusal?.reason).to.equal('too_large');
    expect(readBinaryAttributes({ 'ce-note': 'x'.repeat(1_024) }).refusal).to.equal(undefined);
    expect(readBinaryAttributes({ [`ce-${'n'.repeat(254)}`]: 'x' }).refusal?.reason).to.equal('too_large');
  });
});
