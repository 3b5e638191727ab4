import { expect } from 'chai';
import {
  addFingerprint,
  emptyFingerprint,
  fingerprintOf,
  fingerprintToHash,
} from '#domain/metering/fingerprint.ts';
import { toHex } from '#domain/metering/hash128.ts';
import { canonicalOf } from '#domain/metering/identity.ts';
import { parseEvent } from '#domain/metering/parse-event.ts';
import { instantOf } from './instants.ts';
import { accepted, eventWith, message, NOON, parse, structured, utf8 } from './sample-events.ts';

/** The table of the contract, each event as a producer may send it. */
const CONTRACT = [
  {
    namespace: 'default',
    sent: `{"specversion":"1.0","id":"e-1","source":"urn:svc:chat","type":"llm.request","subject":"acme",
      "time":"2026-03-01T00:00:00Z","data":{"tokens": 1200, "model": "m1"}}`,
    publishedAt: '2026-03-01T00:00:01Z',
    identity: 'e788bbf0ec7c0aa80738a96dec5d34a1',
    canonical: '["llm.request","acme","2026-03-01T00:00:00Z",{"model":"m1","tokens":1200}]',
    digest: '6a6e7b0e1abd337f1524c26308cafb1e',
  },
  {
    namespace: 'default',
    sent: `{"data":{"model":"m1","tokens":"0.30000000000000004"},"subject":"acme","type":"llm.request",
      "source":"urn:svc:chat","id":"e-2","specversion":"1.0"}`,
    publishedAt: '2026-03-01T00:00:01Z',
    identity: '0f1d298a26c277a2ddf9ea8b14157858',
    canonical: '["llm.request","acme",null,{"model":"m1","tokens":"0.30000000000000004"}]',
    digest: 'bc9a6dd94d7e76a69b639bbc7d3fc0dc',
  },
  {
    namespace: 'sandbox',
    sent: String.raw`{"specversion":"1.0","id":"e-1","source":"urn:svc:chat","type":"storage.level","subject":"Z\u00fcrich\/7",
      "time":"2026-03-29T01:59:59.999+01:00","data":{"x":null,"tags":["b","a"],"ok":true,"gb":-2.50}}`,
    publishedAt: '2026-03-29T01:00:00Z',
    identity: 'd85afb8e04d92d3e1dfac085598b6eae',
    canonical:
      '["storage.level","Zürich/7","2026-03-29T01:59:59.999+01:00",{"gb":-2.5,"ok":true,"tags":["b","a"],"x":null}]',
    digest: '71190f15a7080902e1d153ad28448130',
  },
] as const;

describe('an event', () => {
  for (const row of CONTRACT) {
    it(`has the identity, canonical text and digest of the contract: ${row.namespace}, ${row.canonical}`, () => {
      const event = accepted(parseEvent(row.namespace, message(row.sent, {}, instantOf(row.publishedAt))));
      expect(toHex(event.identity)).to.equal(row.identity);
      expect(canonicalOf(event)).to.equal(row.canonical);
      expect(toHex(event.digest)).to.equal(row.digest);
    });
  }

  it('adds its digest to the fingerprint that the contract states', () => {
    const total = emptyFingerprint();
    for (const { namespace, sent, publishedAt } of CONTRACT) {
      const { digest } = accepted(parseEvent(namespace, message(sent, {}, instantOf(publishedAt))));
      addFingerprint(total, fingerprintOf(digest));
    }
    expect(toHex(fingerprintToHash(total))).to.equal('9821f7fd0f43b3289259b1ccae4f3d2a');
  });

  it('is the same in structured and in binary mode', () => {
    for (const subject of ['acme', 'Zürich/7', 'a "quoted\\" one']) {
      for (const data of [undefined, 'null', '{"b":1.50, "a":"é"}', '[1,2]', '"text"', '0']) {
        const text = structured({
          subject: JSON.stringify(subject),
          data,
          traceparent: '"00-ab"',
          Priority: '"high"',
        });
        const attributes = {
          'ce-specversion': '1.0',
          'ce-id': 'e-1',
          'ce-source': 'urn:svc:chat',
          'ce-type': 'llm.request',
          'ce-subject': subject,
          'ce-time': '2026-03-01T11:59:00Z',
          'ce-traceparent': '00-ab',
          'ce-priority': 'high',
          'Content-Type': 'application/json; charset=utf-8',
          'other-attribute': 'is not of the event',
        };
        const binary = accepted(parse(data ?? '', attributes));
        expect(binary).to.deep.equal(accepted(parse(text.replace('"Priority"', '"priority"'))));
      }
    }
  });

  it('belongs to the namespace of its feed, whatever it says itself', () => {
    const [own, other] = ['default', 'sandbox'].map((namespace) =>
      accepted(
        parseEvent(
          namespace,
          message(structured({ namespace: '"sandbox"' }), { 'millrace-namespace': 'sandbox' }),
        ),
      ),
    );
    expect(own!.namespace).to.equal('default');
    expect(own!.identity).to.not.equal(other!.identity);
    expect(own!.digest).to.not.equal(other!.digest);
  });

  it('has an identity of namespace, source and id only, and a digest of all the rest that counts', () => {
    const base = accepted(parse(structured()));
    for (const changes of [
      { type: '"other"' },
      { subject: '"other"' },
      { time: '"2026-03-01T11:59:00.0Z"' },
      { data: '{}' },
    ]) {
      const changed = accepted(parse(structured(changes)));
      expect(changed.identity).to.equal(base.identity);
      expect(changed.digest).to.not.equal(base.digest);
    }
    for (const changes of [{ id: '"e-2"' }, { source: '"urn:svc:other"' }]) {
      expect(accepted(parse(structured(changes))).identity).to.not.equal(base.identity);
    }
    for (const changes of [{ traceparent: '"x"' }, { datacontenttype: '"application/json"' }]) {
      const { identity, digest } = accepted(parse(structured(changes)));
      expect([identity, digest]).to.deep.equal([base.identity, base.digest]);
    }
  });

  it('keeps unknown attributes as canonical JSON, sorted, the last of duplicates, without those that are null', () => {
    const text = `{"b":{"y":1.0, "x":"\\u0041"},"a":5,${structured({ c: 'null', a: '"last"' }).slice(1)}`;
    expect(accepted(parse(text)).attributes).to.equal('{"a":"last","b":{"x":"A","y":1}}');
    expect(accepted(parse(structured())).attributes).to.equal(null);
    expect(accepted(parse(structured({ c: 'null' }))).attributes).to.equal(null);
    expect(accepted(parse(`{"c":1,${structured({ c: 'null' }).slice(1)}`)).attributes).to.equal(null);
  });

  it('is the last that its text says of every attribute, the faults of earlier ones forgotten', () => {
    const twice = (earlier: string): string => `{${earlier},${structured().slice(1)}`;
    const once = accepted(parse(structured()));
    for (const earlier of [
      '"id":5',
      '"id":"other"',
      '"data":{"tokens":7}',
      '"subject":{}',
      '"time":true',
      '"specversion":1.0',
    ]) {
      expect(accepted(parse(twice(earlier))), earlier).to.deep.equal(once);
    }
    expect(
      accepted(parse(structured({ data_base64: 'null' }).replace('{', '{"data_base64":"AA==",'))),
    ).to.deep.equal(once);
    const last = parse(structured().replace(/\}$/, ',"id":5}'));
    expect(last.refusal?.reason).to.equal('attribute_invalid');
  });

  it('without data has the data null', () => {
    expect(eventWith('null')).to.deep.equal(accepted(parse(structured({ data: undefined }))));
  });

  it('reads its data from the source text, so that no digit is lost', () => {
    const { data } = eventWith('{"b":0.30000000000000004,"a":9007199254740993,"c":1e20}');
    expect(data).to.equal('{"a":9007199254740993,"b":0.30000000000000004,"c":100000000000000000000}');
  });

  describe('time', () => {
    const timeOf = (time: string): number => accepted(parse(structured({ time: `"${time}"` }))).time;

    it('is the publish time where none is sent, which is not in the digest, so that a retry is a duplicate', () => {
      const [first, retry] = [NOON, NOON + 1].map((at) =>
        accepted(parse(structured({ time: undefined }), {}, at)),
      );
      expect([first!.time, retry!.time]).to.deep.equal([NOON, NOON + 1]);
      expect(first!.sentTime).to.equal(null);
      expect(first!.digest).to.equal(retry!.digest);
      expect(accepted(parse(structured({ time: 'null' }), {}, NOON))).to.deep.equal(first);
    });

    it('is kept as sent and told apart in the digest, though it is one instant', () => {
      const texts = [
        '2026-03-01T11:59:00Z',
        '2026-03-01t11:59:00z',
        '2026-03-01T12:59:00+01:00',
        '2026-03-01T11:59:00.000Z',
      ];
      const events = texts.map((time) => accepted(parse(structured({ time: `"${time}"` }))));
      expect(events.map(({ sentTime }) => sentTime)).to.deep.equal(texts);
      expect(new Set(events.map(({ time }) => time))).to.have.lengthOf(1);
      expect(new Set(events.map(({ digest }) => digest))).to.have.lengthOf(texts.length);
    });

    it('counts to the microsecond, further digits only in the digest', () => {
      expect(timeOf('2026-03-01T11:59:00.1234567Z')).to.equal(NOON - 60_000_000 + 123_456);
      expect(timeOf(`2026-03-01T11:59:00.${'9'.repeat(100)}Z`)).to.equal(NOON - 60_000_000 + 999_999);
      const [a, b] = ['.1234567', '.1234568'].map((fraction) =>
        accepted(parse(structured({ time: `"2026-03-01T11:59:00${fraction}Z"` }))),
      );
      expect(a!.time).to.equal(b!.time);
      expect(a!.digest).to.not.equal(b!.digest);
    });

    for (const time of [
      ...[
        '2026-03-01T11:59:60Z',
        '2026-03-01T11:59:00',
        '2026-03-01',
        '2026-03-01 11:59:00Z',
        '2026-02-29T11:59:00Z',
      ],
      ...[
        '2026-03-01T24:00:00Z',
        '2026-03-01T11:59:00.Z',
        '2026-03-01T11:59:00+0100',
        '1772366340',
        '',
        ' ',
        'now',
      ],
    ]) {
      it(`'${time}' is refused`, () => {
        const { refusal } = parse(structured({ time: `"${time}"` }));
        expect(refusal?.reason).to.equal('attribute_invalid');
        expect(refusal?.detail).to.match(/^time /);
      });
    }

    for (const [what, time, reason] of [
      ['45 days old', '2026-01-15T12:00:00Z', undefined],
      ['a microsecond older than that', '2026-01-15T11:59:59.999999Z', 'too_old'],
      ['5 minutes ahead', '2026-03-01T12:05:00Z', undefined],
      ['a microsecond further ahead than that', '2026-03-01T12:05:00.000001Z', 'in_the_future'],
      ['of next year', '2027-03-01T12:00:00Z', 'in_the_future'],
      ['of the year 9999', '9999-12-31T23:59:59Z', 'in_the_future'],
      ['of the year 0000', '0000-01-01T00:00:00Z', 'too_old'],
    ] as const) {
      it(`${what} is ${reason ?? 'accepted'}, judged by the publish time`, () => {
        expect(parse(structured({ time: `"${time}"` })).refusal?.reason).to.equal(reason);
      });
    }
  });

  it('is found again when it was refused: what could be read of it is known', () => {
    const known = { id: 'e-1', source: 'urn:svc:chat', type: 'llm.request', subject: 'acme' };
    const refusedLate = structured({
      data: `${'['.repeat(9)}1${']'.repeat(9)}`,
      subject: undefined,
      z: '1e99',
    });
    const refused = parse(refusedLate.replace(/\}$/, ',"subject":"acme"}'));
    expect(refused.refusal?.reason).to.equal('too_deep');
    expect(refused).to.have.property('known').that.deep.equals(known);
    expect(parse(structured({ time: '"x"' })))
      .to.have.property('known')
      .that.deep.equals(known);
    expect(parse(structured({ subject: undefined })))
      .to.have.property('known')
      .that.deep.equals({ ...known, subject: null });
  });

  it('in binary mode is found again even when its body cannot be read', () => {
    const attributes = {
      'ce-specversion': '1.0',
      'ce-id': 'e-1',
      'ce-source': 's',
      'ce-type': 't',
      'ce-subject': 'acme',
    };
    for (const body of [new Uint8Array(1_048_577), new Uint8Array([0xff]), utf8('{')]) {
      expect(parse(body, attributes))
        .to.have.property('known')
        .that.deep.equals({ id: 'e-1', source: 's', type: 't', subject: 'acme' });
    }
  });
});
