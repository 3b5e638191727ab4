import { expect } from 'chai';
import fc from 'fast-check';
import type { Instant } from '#domain/instant.ts';
import { decide, DEFAULT_POLICY, failed, policyFor, submitted } from '#pipelines/portable/supervision.ts';
import type { Observation, Plan, Supervision, SupervisionPolicy } from '#pipelines/portable/supervision.ts';

const START: Instant = 1_767_225_600_000_000;
const POLICY: SupervisionPolicy = DEFAULT_POLICY;
const after = (ms: number): Instant => START + ms * 1_000;

/** A pipeline that is well: a worker lives, and everything up to now is committed. */
const well = (ms: number, changed: Partial<Observation> = {}): Observation => ({
  at: after(ms),
  state: 'RUNNING',
  workers: 1,
  watermark: { committedThrough: after(ms), heartbeatAt: after(ms) },
  ...changed,
});
/** Its workers report, and the oldest message has waited since the given time. */
const waiting = (ms: number, since: number): Partial<Observation> => ({
  watermark: { committedThrough: after(since), heartbeatAt: after(ms) },
});

function plansOf(observations: readonly Observation[], policy = POLICY): Plan[] {
  let supervision = submitted(START, { failures: 0 });
  return observations.map((seen) => {
    const { after: next, plan } = decide(supervision, seen, policy);
    supervision = next;
    return plan;
  });
}
const seconds = (count: number, seen: (ms: number) => Observation): Observation[] =>
  Array.from({ length: count }, (_, i) => seen(i * 1_000));
const lastPlan = (observations: readonly Observation[], policy = POLICY): Plan =>
  plansOf(observations, policy).at(-1)!;

describe('what a supervisor does', () => {
  it('is nothing while the pipeline is well, however long that is', () => {
    expect(plansOf(seconds(10_000, well)).every(({ kind }) => kind === 'nothing')).to.equal(true);
  });

  it('is nothing while a steady stream is behind by its usual delay', () => {
    const steady = seconds(1_000, (ms) => well(ms, waiting(ms, ms - 1_500)));
    expect(plansOf(steady).every(({ kind }) => kind === 'nothing')).to.equal(true);
  });

  it('is to submit a job again that has ended, whatever the runner calls that', () => {
    for (const state of ['FAILED', 'CANCELLED', 'DONE', 'DRAINED', 'UPDATED', 'LOST'] as const)
      expect(lastPlan([well(0, { state, reason: 'because' })])).to.deep.equal({
        kind: 'resubmit',
        reason: `the job is ${state}: because`,
        pauseMs: 1_000,
        isAlarm: false,
      });
  });

  it('is to submit the job again when its engine has ended', () => {
    const plan = lastPlan([well(0, { engineEnd: 'Prism ended', state: undefined })]);
    expect(plan).to.include({ kind: 'resubmit', reason: 'Prism ended' });
  });

  it('is nothing while the runner does not answer: the job client says when the job is lost', () => {
    expect(lastPlan(seconds(100, (ms) => well(ms, { state: undefined })))).to.deep.equal({ kind: 'nothing' });
  });

  it('is to submit a job again that the runner says is running, though its last worker has gone', () => {
    const gone = [well(0), ...seconds(10, (ms) => well(1_000 + ms, { workers: 0 }))];
    expect(lastPlan(gone)).to.deep.equal({ kind: 'nothing' });
    expect(lastPlan([...gone, well(11_000, { workers: 0 })])).to.include({
      kind: 'resubmit',
      reason: 'no worker has lived for 10 s',
    });
  });

  it('gives the first worker longer to come', () => {
    const starting = seconds(90, (ms) => well(ms, { workers: 0, watermark: undefined }));
    expect(lastPlan(starting)).to.deep.equal({ kind: 'nothing' });
    expect(lastPlan([...starting, well(90_000, { workers: 0 })]).kind).to.equal('resubmit');
  });

  it('concludes nothing from workers that cannot be seen', () => {
    expect(lastPlan(seconds(1_000, (ms) => well(ms, { workers: undefined }))).kind).to.equal('nothing');
  });

  it('is an alarm when messages wait and nothing is committed, and later the job again', () => {
    const stalled = (count: number): Plan => lastPlan(seconds(count, (ms) => well(ms, waiting(ms, 0))));
    expect(stalled(90).kind).to.equal('nothing');
    expect(stalled(91)).to.deep.equal({
      kind: 'alarm',
      reason: 'messages wait, and nothing was committed for 90 s',
    });
    expect(stalled(270).kind).to.equal('alarm');
    expect(stalled(271).kind).to.equal('resubmit');
  });

  it('is an alarm when nobody reports on a feed any more', () => {
    const silent = seconds(91, (ms) =>
      well(ms, { watermark: { committedThrough: START, heartbeatAt: START } }),
    );
    expect(lastPlan(silent)).to.deep.equal({
      kind: 'alarm',
      reason: 'nobody has reported on a feed for 90 s',
    });
  });

  it('is no alarm while the watermark may stand for want of what a dead process held, and one when nobody reports meanwhile', () => {
    const policy = policyFor('flink', 600_000);
    const held = seconds(625, (ms) => well(ms, waiting(ms, -1_000)));
    expect(lastPlan(held, policy).kind).to.equal('nothing');
    const silent = seconds(91, (ms) =>
      well(ms, { watermark: { committedThrough: START, heartbeatAt: START } }),
    );
    expect(lastPlan(silent, policy).kind).to.equal('alarm');
  });

  it('is a restart that was planned, which is no failure', () => {
    const policy = { ...POLICY, plannedRestartMs: 60_000 };
    const plans = plansOf(seconds(61, well), policy);
    expect(plans.at(-2)).to.deep.equal({ kind: 'nothing' });
    expect(plans.at(-1)).to.deep.equal({
      kind: 'resubmit',
      reason: 'a restart was planned',
      pauseMs: 0,
      isAlarm: false,
    });
  });

  it('is to give up after ten failures in a row, with longer and longer pauses before', () => {
    let supervision: Supervision = submitted(START, { failures: 0 });
    const plans: Plan[] = [];
    for (let i = 0; i < 10; i++) {
      const { after: next, plan } = failed(supervision, 'no', POLICY);
      supervision = submitted(after(i), next);
      plans.push(plan);
    }
    const pauses = plans.flatMap((plan) => (plan.kind === 'resubmit' ? [plan.pauseMs / 1_000] : []));
    expect(pauses).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    const alarms = plans.flatMap((plan) => (plan.kind === 'resubmit' ? [plan.isAlarm] : []));
    expect(alarms).to.deep.equal([false, false, true, true, true, true, true, true, true]);
    expect(plans.at(-1)).to.deep.equal({ kind: 'give up', reason: '10 failures in a row, the last: no' });
  });

  it('forgets failures once a job has run for a minute and has committed, not before', () => {
    const failures = (observations: readonly Observation[]): number => {
      let supervision = submitted(START, { failures: 5 });
      for (const seen of observations) supervision = decide(supervision, seen, POLICY).after;
      return supervision.failures;
    };
    expect(failures(seconds(60, well))).to.equal(5);
    expect(failures(seconds(61, well))).to.equal(0);
    expect(failures(seconds(61, (ms) => well(ms, waiting(ms, 0))))).to.equal(5);
  });

  describe('of any observations', () => {
    const state = fc.constantFrom<Observation['state'][]>('RUNNING', 'STARTING', 'FAILED', 'LOST', undefined);
    const observation = fc.record({
      elapsedMs: fc.integer({ min: 0, max: 20_000 }),
      state,
      workers: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      ended: fc.boolean(),
      lagMs: fc.option(fc.integer({ min: 0, max: 600_000 }), { nil: undefined }),
      silentMs: fc.integer({ min: 0, max: 600_000 }),
    });
    const observations = fc.array(observation, { maxLength: 60 }).map((steps) => {
      let at = START;
      return steps.map(({ elapsedMs, state: seen, workers, ended, lagMs, silentMs }): Observation => {
        at += elapsedMs * 1_000;
        const heartbeatAt = at - silentMs * 1_000;
        const watermark =
          lagMs === undefined ? undefined : { heartbeatAt, committedThrough: heartbeatAt - lagMs * 1_000 };
        return { at, state: seen, workers, watermark, ...(ended && { engineEnd: 'ended' }) };
      });
    });

    it('pauses are bounded, failures never exceed the bound, and what has ended is never left as it is', () => {
      fc.assert(
        fc.property(observations, (all) => {
          let supervision = submitted(START, { failures: 0 });
          for (const seen of all) {
            const { after: next, plan } = decide(supervision, seen, POLICY);
            expect(next.failures).to.be.at.most(POLICY.failuresMax);
            if (plan.kind === 'resubmit') expect(plan.pauseMs).to.be.within(0, POLICY.pauseLongestMs);
            if (seen.engineEnd !== undefined || seen.state === 'FAILED' || seen.state === 'LOST')
              expect(plan.kind).to.be.oneOf(['resubmit', 'give up']);
            if (plan.kind === 'give up') return;
            supervision = plan.kind === 'resubmit' ? submitted(seen.at, next) : next;
          }
        }),
      );
    });

    it('depends on nothing but them', () => {
      fc.assert(
        fc.property(observations, (all) => {
          expect(plansOf(all)).to.deep.equal(plansOf(all));
        }),
      );
    });
  });
});
