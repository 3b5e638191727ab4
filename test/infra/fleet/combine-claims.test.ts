import { expect } from 'chai';
import { combineClaims, type Claim, type Evidence } from '#infra/fleet/combine-claims.ts';
import { fleetWindows } from '#infra/fleet/windows.ts';

const SECOND = 1_000_000;
const NOW = 10_000 * SECOND;
const windows = fleetWindows(10);

const delivered = (at: number, through: number, steadySince = 0): Evidence => ({
  at,
  kind: 'delivered',
  through,
  steadySince,
});
const claim = (claimedAt: number, oldest: number | null, ...evidence: Evidence[]): Claim => ({
  claimedAt,
  oldest,
  evidence,
});
const through = (...claims: Claim[]): number | undefined => combineClaims(claims, NOW, windows)?.through;

describe('the claims of a fleet', () => {
  it('tell nothing while there are none, or while nobody knows what was delivered', () => {
    expect(through()).to.equal(undefined);
    expect(through(claim(NOW - SECOND, null))).to.equal(undefined);
  });

  it('come to what was delivered before all of them were made, but not beyond the oldest message that one of them answers for', () => {
    const knows = claim(
      NOW - SECOND,
      null,
      delivered(NOW - 4 * SECOND, NOW - 9 * SECOND),
      delivered(NOW - SECOND, NOW - 6 * SECOND),
    );
    const holds = (oldest: number | null) => claim(NOW - 2 * SECOND, oldest);
    expect(through(knows, holds(null))).to.equal(NOW - 9 * SECOND);
    expect(through(knows, holds(NOW - 20 * SECOND))).to.equal(NOW - 20 * SECOND);
    expect(through(knows, holds(NOW - 3 * SECOND))).to.equal(NOW - 9 * SECOND);
  });

  it('tell nothing while one of them is stale: its worker may have been given anything since', () => {
    const knows = claim(NOW - SECOND, null, delivered(NOW - 25 * SECOND, NOW - 30 * SECOND));
    expect(through(knows, claim(NOW - windows.freshMicros, null))).to.equal(NOW - 30 * SECOND);
    expect(through(knows, claim(NOW - windows.freshMicros - 1, null))).to.equal(undefined);
  });

  it('count for a dead worker until what it held was delivered again, with room for it all the while', () => {
    const deadAt = NOW - windows.expiryMicros;
    const dead = claim(deadAt, deadAt - SECOND);
    const knows = (steadySince: number) =>
      claim(NOW - SECOND, null, delivered(NOW - 3 * SECOND, NOW - 8 * SECOND, steadySince));
    expect(combineClaims([dead, knows(0)], NOW, windows)).to.deep.equal({
      through: NOW - 8 * SECOND,
      expired: [dead],
    });
    const full = NOW - 3 * SECOND - windows.redeliveryMicros;
    expect(through(dead, knows(full)), 'somebody had no room until lately').to.equal(undefined);
    expect(combineClaims([{ ...dead, claimedAt: deadAt + 1 }, knows(0)], NOW, windows)).to.equal(undefined);
  });

  it('follow a topic that knows of all messages, though some are stale, and never beyond what a worker answers for', () => {
    const acknowledged: Evidence = {
      at: NOW - SECOND,
      kind: 'acknowledged',
      through: NOW - 60 * SECOND,
      steadySince: NOW,
    };
    expect(through(claim(NOW - SECOND, null, acknowledged), claim(NOW - 30 * SECOND, null))).to.equal(
      NOW - 60 * SECOND,
    );
    expect(
      through(claim(NOW - SECOND, null, acknowledged), claim(NOW - 30 * SECOND, NOW - 70 * SECOND)),
    ).to.equal(NOW - 70 * SECOND);
  });
});
