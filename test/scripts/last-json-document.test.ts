import { expect } from 'chai';
import { lastJsonDocument } from '../../scripts/last-json-document.ts';

describe('the last JSON document of a run', () => {
  it('is found behind readable text, on one line or on many', () => {
    expect(lastJsonDocument('hello\n{"ok":true}\n')).to.deep.equal({ ok: true });
    expect(lastJsonDocument('hello {\n{\n  "ok": true,\n  "a": {\n    "b": 1\n  }\n}\n\n')).to.deep.equal({
      ok: true,
      a: { b: 1 },
    });
  });

  it('is the last of several', () => {
    expect(lastJsonDocument('{"ok":false}\ntext\n{"ok":true}')).to.deep.equal({ ok: true });
  });

  it('is absent when something is printed after it, or nothing at all', () => {
    expect(lastJsonDocument('{"ok":true}\nError: it broke after all')).to.equal(undefined);
    expect(lastJsonDocument('{"ok":tr')).to.equal(undefined);
    expect(lastJsonDocument('')).to.equal(undefined);
  });
});
