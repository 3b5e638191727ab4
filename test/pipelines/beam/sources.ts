// The sources of these tests: a module of its own, since workers load it by name.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { register } from '#pipelines/beam/registration.ts';
import type { PollingSource, PollResume, PollRound } from '#pipelines/beam/splittable-do-fn.ts';

export const RESUME_AFTER_MS = 1_250.5;
/** As long as a test may last: only an `ending` ends the round before. */
const LONG_MS = 60_000;

/** Counts to an end, some numbers a round; the watermark of a number is itself. */
export class Counting implements PollingSource<string, number> {
  readonly end: number;
  readonly perRound: number;
  constructor(end: number, perRound: number) {
    this.end = end;
    this.perRound = perRound;
  }
  restriction(): string {
    return '0';
  }
  async poll({ restriction, emit }: PollRound<string, number>): Promise<PollResume | undefined> {
    const from = Number(restriction);
    const to = Math.min(this.end, from + this.perRound);
    for (let i = from; i < to; i += 1) {
      await emit(i, i);
      if (i % 2 === 0) await delay(0);
    }
    if (to === this.end) return undefined;
    return { restriction: String(to), watermarkMs: to, resumeAfterMs: RESUME_AFTER_MS };
  }
}

/** Tells how often this copy was set up. */
export class SetUp implements PollingSource<string, number> {
  private times = 0;
  restriction(): string {
    return '';
  }
  async setup(): Promise<void> {
    await delay(0);
    this.times += 1;
  }
  async poll({ emit }: PollRound<string, number>): Promise<PollResume> {
    await emit(this.times, 0);
    return { restriction: '', watermarkMs: 0, resumeAfterMs: 0 };
  }
}

/** Has nothing to give until the runner ends its round; or refuses. */
export class Patient implements PollingSource<string, string> {
  restriction(element: string): string {
    return `${element}: not asked yet`;
  }
  async poll({ element, ending, emit }: PollRound<string, string>): Promise<PollResume> {
    if (element === 'refuse') throw new Error('the topic refuses');
    void emit(`${element} waits`, 1);
    if (!ending.aborted) await once(ending, 'abort', { signal: AbortSignal.timeout(LONG_MS) });
    return { restriction: `${element}: asked to end`, watermarkMs: 1, resumeAfterMs: 0 };
  }
}

/** Rounds that go wrong, each in its own way: the element says how. */
export class Faulty implements PollingSource<string, string> {
  private kept: PollRound<string, string>['emit'] | undefined;
  restriction(): string {
    return '';
  }
  async poll({ element, emit }: PollRound<string, string>): Promise<PollResume> {
    void emit('before the fault', 1);
    void this.kept?.('after its round', 1);
    if (element === 'throw') throw new Error('the topic is gone');
    if (element === 'emit late') this.kept = emit;
    if (element === 'swallow') {
      try {
        void emit('at no time', 0.5);
      } catch {
        // As a careless source would.
      }
    }
    const watermarkMs = element === 'watermark' ? NaN : 1;
    return { restriction: 'left', watermarkMs, resumeAfterMs: element === 'delay' ? -1 : 0 };
  }
}

/** Says of each round what it was given, and then turns its watermark back. */
export class TurnsBack implements PollingSource<string, number> {
  restriction(): string {
    return '300';
  }
  async poll({ restriction, watermarkMs, emit }: PollRound<string, number>): Promise<PollResume> {
    void emit(watermarkMs, -5);
    const mark = Number(restriction);
    return { restriction: String(mark - 100), watermarkMs: mark, resumeAfterMs: 0 };
  }
}

/** More than a message holds, without a pause. */
export class Flood implements PollingSource<string, string> {
  restriction(): string {
    return '';
  }
  async poll({ element, emit }: PollRound<string, string>): Promise<undefined> {
    for (let i = 0; i < Number(element); i += 1) await emit(`${i}-${'x'.repeat(90)}`, i);
    return undefined;
  }
}

register('millrace/test/pipelines/beam/sources', { Counting, Patient, Faulty, TurnsBack, Flood, SetUp });
