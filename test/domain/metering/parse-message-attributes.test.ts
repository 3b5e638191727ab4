import { expect } from 'chai';
import { MICROS_PER_DAY, MICROS_PER_MINUTE } from '#domain/instant.ts';
import { accepted, NOON, parse, structured } from './sample-events.ts';

const UNDATED = structured({ time: undefined });
const dated = (timestamp: string) => parse(UNDATED, { timestamp });

describe('the attribute `timestamp` of a message', () => {
  it('is the time of an event that has none of its own, as RFC 3339 or in milliseconds', () => {
    const at = NOON - MICROS_PER_MINUTE;
    for (const timestamp of ['2026-03-01T11:59:00Z', '2026-03-01T12:59:00.000+01:00', String(at / 1_000)])
      expect(accepted(dated(timestamp)), timestamp).to.include({ time: at, sentTime: null });
  });

  it('is not in the digest, so that a publisher that stamps each try sends duplicates', () => {
    const [first, retry, plain] = [
      dated('2026-03-01T11:59:00Z'),
      dated('2026-03-01T11:59:01Z'),
      parse(UNDATED),
    ].map(accepted);
    expect(first!.digest).to.equal(retry!.digest).and.to.equal(plain!.digest);
  });

  it('counts for nothing where the event says its time itself', () => {
    const said = accepted(parse(structured()));
    expect(accepted(parse(structured(), { timestamp: '2026-03-01T00:00:00Z' }))).to.deep.equal(said);
    expect(accepted(parse(structured(), { timestamp: '1' }))).to.deep.equal(said);
  });

  it('is somebody else’s where it is no time', () => {
    for (const timestamp of ['', 'now', '-1', '1.5', '2026-03-01', '1e12', '9'.repeat(16)])
      expect(accepted(dated(timestamp)), timestamp).to.include({ time: NOON });
  });

  it('is judged by the publish time as every time is', () => {
    const at = (micros: number): string => String(Math.round((NOON + micros) / 1_000));
    expect(dated(at(-45 * MICROS_PER_DAY)).refusal).to.equal(undefined);
    expect(dated(at(-45 * MICROS_PER_DAY - 1_000)).refusal?.reason).to.equal('too_old');
    expect(dated(at(6 * MICROS_PER_MINUTE)).refusal?.reason).to.equal('in_the_future');
    expect(dated('9'.repeat(15)).refusal?.reason).to.equal('in_the_future');
  });

  it('dates an event in binary mode as well', () => {
    const attributes = {
      'ce-specversion': '1.0',
      'ce-id': 'e-1',
      'ce-source': 'urn:svc:chat',
      'ce-type': 'llm.request',
      'ce-subject': 'acme',
    };
    const time = NOON - MICROS_PER_MINUTE;
    const stamped = parse('{}', { ...attributes, timestamp: '2026-03-01T11:59:00Z' });
    expect(accepted(stamped)).to.include({ time });
    const said = parse('{}', { ...attributes, 'ce-time': '2026-03-01T11:58:00Z', timestamp: '1' });
    expect(accepted(said)).to.include({ time: time - MICROS_PER_MINUTE });
  });
});

describe('the attributes of a message', () => {
  it('do not make a structured event binary when they repeat it: its content type tells', () => {
    const repeated = { 'ce-specversion': '1.0', 'ce-id': 'other', 'ce-source': 's', 'ce-type': 't' };
    for (const [key, type] of [
      ['content-type', 'application/cloudevents+json'],
      ['Content-Type', 'application/cloudevents+json; charset=UTF-8'],
      ['content-type', 'application/cloudevents'],
    ] as const)
      expect(accepted(parse(structured(), { ...repeated, [key]: type })), type).to.deep.equal(
        accepted(parse(structured())),
      );
  });

  it('of client libraries and tracing change nothing', () => {
    const added = {
      googclient_schemaencoding: 'JSON',
      googclient_traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'x-goog-pubsub-publish-time': '2020-01-01T00:00:00Z',
      CloudPubSubDeadLetterSourceDeliveryCount: '5',
      eventTime: '2020-01-01T00:00:00Z',
    };
    expect(accepted(parse(structured(), added))).to.deep.equal(accepted(parse(structured())));
  });
});
