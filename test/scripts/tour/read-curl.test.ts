import { expect } from 'chai';
import { readCurl, shellWords } from '../../../scripts/tour/read-curl.ts';

const VARIABLES = { MILLRACE_URL: 'http://127.0.0.1:1', KEY: 'a "key"' };

describe('a command of the guide, where there is no shell', () => {
  it('is taken apart as a shell would', () => {
    const words: [string, string[]][] = [
      ['curl  -sS a', ['curl', '-sS', 'a']],
      [
        `curl "$MILLRACE_URL/v1" \\\n  -d 'x "y" $KEY \\'`,
        ['curl', 'http://127.0.0.1:1/v1', '-d', 'x "y" $KEY \\'],
      ],
      [`a"b"'c'\\ d`, ['abc d']],
      [`"a\\"b\\$KEY" ''`, ['a"b$KEY', '']],
      [`"k: $KEY"`, ['k: a "key"']],
      [`'[1,\n 2]'`, ['[1,\n 2]']],
      [`'{"a":"'$MILLRACE_URL'"}'`, ['{"a":"http://127.0.0.1:1"}']],
    ];
    for (const [command, expected] of words)
      expect(shellWords(command, VARIABLES), command).to.deep.equal(expected);
  });

  it('that asks for more than that is not run', () => {
    for (const command of [
      'curl $UNSET',
      'curl a | jq',
      'curl a; rm b',
      "curl 'a",
      'curl "$(id)"',
      'curl a > b',
    ])
      expect(() => shellWords(command, VARIABLES), command).to.throw(/shell|not set/);
    for (const command of ['wget a', 'curl', 'curl -k a', 'curl a b'])
      expect(() => readCurl(command, {}), command).to.throw();
  });

  it('is the request that curl would send', () => {
    expect(readCurl(`curl -sS "$MILLRACE_URL/v1/a?b=c&d=e"`, VARIABLES)).to.deep.equal({
      url: 'http://127.0.0.1:1/v1/a?b=c&d=e',
      method: 'GET',
      headers: {},
    });
    expect(readCurl(`curl http://a/b -H 'A: b: c' -H "D: e" -d '{"f":\n1}'`, {})).to.deep.equal({
      url: 'http://a/b',
      method: 'POST',
      headers: { A: 'b: c', D: 'e' },
      body: '{"f":1}',
    });
    expect(readCurl('curl -o b.pdf a', {})).to.include({ url: 'a', file: 'b.pdf' });
    expect(readCurl(`curl -X PUT a -d 'b'`, {})).to.include({ method: 'PUT', body: 'b' });
  });
});
