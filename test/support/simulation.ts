import { AsyncLocalStorage } from 'node:async_hooks';
import type { Instant } from '#domain/instant.ts';
import { seededRandom } from './seeded-random.ts';
import type { SeededRandom } from './seeded-random.ts';

/**
 * A run of cooperating tasks in which a seed decides who goes on at every point, what time it is and what goes wrong. It satisfies
 * the `Schedule` of the hostile drivers, so it is handed to them as it is. The code under test may wait for nothing but points,
 * sleeps, timers and its own promises: real input, output or timers would come back outside the schedule.
 */
export interface Simulation {
  readonly seed: number;
  /** The same stream of numbers as `random`, with more convenience. */
  readonly draw: SeededRandom;
  /** In [0, 1). */
  readonly random: () => number;
  /** The simulated time: it stands still while a task runs. */
  readonly now: () => Instant;
  /** Lets the scheduler run others first. Every operation that leaves its process passes at least one. */
  readonly point: (label: string) => Promise<void>;
  readonly sleep: (micros: number) => Promise<void>;
  /** Calls `callback` once, when the time has come; the function it returns cancels that. */
  readonly after: (micros: number, callback: () => void) => () => void;
  /** Starts a task. It belongs to the task that spawns it (the body's own tasks stand alone) and ends with it in a crash. */
  readonly spawn: <Result>(name: string, run: () => Promise<Result>) => Promise<Result>;
  /** The task, and all it spawned, never goes on from where it is; its promise stays pending. The name is free for a successor. */
  readonly crash: (name: string) => void;
  /** Writes a line of the test's own into the trace. */
  readonly note: (text: string) => void;
  /** One line a step, the same for the same seed. */
  readonly trace: () => string[];
}

/** Carries the seed that repeats the failure, the end of the trace, and the failure itself as its cause. */
export class SimulationFailure extends Error {
  readonly seed: number;
  constructor(seed: number, reason: string, trace: readonly string[], cause?: unknown) {
    const tail = trace.slice(-TRACE_LINES_SHOWN).join('\n  ');
    super(`seed ${seed}: ${reason}\n  ${tail}`, { cause });
    this.name = 'SimulationFailure';
    this.seed = seed;
  }
}

/** A run that needs more than this is going round in circles. */
export const STEPS_MAX = 200_000;
const TRACE_LINES_SHOWN = 60;
/** 2026-01-01T00:00:00Z: an ordinary day, so that no test lives at the epoch. */
export const SIMULATION_START: Instant = 1_767_225_600_000_000;
/** A step takes some time, or none: equal clock readings in a row must be survived too. */
const STEP_MICROS_MAX = 400;
/** How often a timer comes due although tasks could still run: a slow process finds its lease gone. */
const LEAP_CHANCE = 1 / 64;
/**
 * A uniform choice hardly ever lets one task stand still while others go far, and that is where races hide. So every task has a
 * pace, its weight in the choice, and now and then draws another one.
 */
const PACES = [1, 1, 0.2, 0.02];
const NEW_PACE_CHANCE = 1 / 16;

const BODY = 'body';

interface Task {
  readonly name: string;
  readonly parent: Task | undefined;
  pace: number;
  state: 'running' | 'finished' | 'crashed';
}

interface Waiter {
  readonly task: Task;
  readonly label: string;
  readonly resume: () => void;
}

interface Timer extends Waiter {
  readonly due: Instant;
}

interface Step {
  readonly at: Instant;
  readonly task: string;
  readonly label: string;
}

interface World {
  readonly seed: number;
  readonly draw: SeededRandom;
  readonly current: AsyncLocalStorage<Task>;
  /** Tasks that are neither finished nor crashed, in the order of their start. */
  readonly running: Set<Task>;
  readonly steps: Step[];
  waiting: Waiter[];
  timers: Timer[];
  now: Instant;
  over: boolean;
  failure: SimulationFailure | undefined;
  body: Task | undefined;
}

const formatSteps = (steps: readonly Step[]): string[] =>
  steps.map(({ at, task, label }) => `+${at - SIMULATION_START} ${task}: ${label}`);

const namesOf = (tasks: Iterable<Task>): string => Array.from(tasks, ({ name }) => name).join(', ');

const failed = (world: World, reason: string, cause?: unknown): SimulationFailure =>
  new SimulationFailure(world.seed, reason, formatSteps(world.steps), cause);

/** The first failure ends the simulation; what fails after it is only its wake. */
function fail(world: World, task: Task, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  world.failure ??= failed(world, `${task.name} failed: ${message}`, error);
}

/** Everything the last step set in motion has come to rest once the event loop turns: microtasks run out before it does. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function currentTask(world: World): Task {
  const task = world.current.getStore() ?? world.body;
  if (task === undefined) throw new Error('the simulation has no task yet');
  return task;
}

/** Timers that are due wait for their turn like everything else: a timer is never punctual. */
function moveClock(world: World, to: Instant): void {
  world.now = to;
  const due = world.timers.filter((timer) => timer.due <= to);
  if (due.length === 0) return;
  world.timers = world.timers.filter((timer) => timer.due > to);
  world.waiting.push(...due.sort((a, b) => a.due - b.due));
}

function leap(world: World): void {
  let earliest = Infinity;
  for (const timer of world.timers) earliest = Math.min(earliest, timer.due);
  moveClock(world, Math.max(world.now, earliest));
}

/** Takes one of those waiting out of the queue, by the pace of their tasks. */
function choose(world: World): Waiter {
  let weight = 0;
  for (const waiter of world.waiting) weight += waiter.task.pace;
  let mark = world.draw.next() * weight;
  const chosen = world.waiting.findIndex((waiter) => (mark -= waiter.task.pace) < 0);
  const [waiter] = world.waiting.splice(Math.max(chosen, 0), 1);
  if (waiter === undefined) throw new Error('nothing waits');
  return waiter;
}

function step(world: World): void {
  if (world.timers.length > 0 && (world.waiting.length === 0 || world.draw.chance(LEAP_CHANCE))) leap(world);
  if (world.waiting.length === 0) {
    throw failed(world, `deadlock, these wait for ever: ${namesOf(world.running)}`);
  }
  moveClock(world, world.now + world.draw.below(STEP_MICROS_MAX + 1));
  const waiter = choose(world);
  if (world.draw.chance(NEW_PACE_CHANCE)) waiter.task.pace = world.draw.pick(PACES);
  world.steps.push({ at: world.now, task: waiter.task.name, label: waiter.label });
  waiter.resume();
}

async function drive(world: World): Promise<void> {
  for (;;) {
    await settled();
    if (world.failure !== undefined) throw world.failure;
    if (world.running.size === 0) return;
    if (world.steps.length >= STEPS_MAX) {
      throw failed(world, `not over after ${STEPS_MAX} steps: ${namesOf(world.running)}`);
    }
    step(world);
  }
}

const running = (world: World, name: string): Task | undefined =>
  Array.from(world.running).find((task) => task.name === name);

function end(world: World, task: Task, state: 'finished' | 'crashed'): void {
  task.state = state;
  world.running.delete(task);
}

function spawn<Result>(world: World, name: string, run: () => Promise<Result>): Promise<Result> {
  if (running(world, name) !== undefined) throw new Error(`the task ${name} is still running`);
  const spawner = world.current.getStore();
  const parent = spawner === world.body ? undefined : spawner;
  const task: Task = { name, parent, pace: world.draw.pick(PACES), state: 'running' };
  world.body ??= task;
  world.running.add(task);
  return new Promise((resolve) => {
    const finished = (result: Result): void => {
      if (task.state === 'crashed') return;
      end(world, task, 'finished');
      resolve(result);
    };
    const threw = (error: unknown): void => {
      if (task.state !== 'crashed') fail(world, task, error);
    };
    world.current.run(task, () => void point(world, 'start').then(run).then(finished, threw));
  });
}

function crash(world: World, name: string): void {
  const task = running(world, name);
  if (task === undefined || task === world.body) throw new Error(`no task ${name} that could crash`);
  end(world, task, 'crashed');
  world.waiting = world.waiting.filter((waiter) => waiter.task !== task);
  world.timers = world.timers.filter((timer) => timer.task !== task);
  world.steps.push({ at: world.now, task: name, label: 'crashed' });
  for (const child of world.running) if (child.parent === task) crash(world, child.name);
}

/** Once the simulation is over nothing is scheduled any more, so that a test may look at what is left. */
function point(world: World, label: string): Promise<void> {
  const task = currentTask(world);
  if (world.over && task.state !== 'crashed') return Promise.resolve();
  return new Promise((resume) => {
    if (task.state !== 'crashed') world.waiting.push({ task, label, resume });
  });
}

function after(world: World, micros: number, callback: () => void): () => void {
  const task = currentTask(world);
  const resume = (): void => {
    try {
      world.current.run(task, callback);
    } catch (error) {
      fail(world, task, error);
    }
  };
  const timer: Timer = { task, label: 'timer', resume, due: world.now + Math.max(0, Math.ceil(micros)) };
  if (task.state !== 'crashed' && !world.over) world.timers.push(timer);
  return () => {
    world.timers = world.timers.filter((other) => other !== timer);
    world.waiting = world.waiting.filter((other) => other !== timer);
  };
}

function simulationOf(world: World): Simulation {
  return {
    seed: world.seed,
    draw: world.draw,
    random: world.draw.next,
    now: () => world.now,
    point: (label) => point(world, label),
    sleep: (micros) => new Promise((resolve) => void after(world, micros, resolve)),
    after: (micros, callback) => after(world, micros, callback),
    spawn: (name, run) => spawn(world, name, run),
    crash: (name) => crash(world, name),
    note: (label) => void world.steps.push({ at: world.now, task: currentTask(world).name, label }),
    trace: () => formatSteps(world.steps),
  };
}

/** Runs `body` and all it spawns to their end. The first task that throws, a deadlock or too many steps is a `SimulationFailure`. */
export async function simulate<Result>(
  seed: number,
  body: (sim: Simulation) => Promise<Result>,
): Promise<Result> {
  const world: World = {
    seed,
    draw: seededRandom(seed),
    current: new AsyncLocalStorage(),
    running: new Set(),
    steps: [],
    waiting: [],
    timers: [],
    now: SIMULATION_START,
    over: false,
    failure: undefined,
    body: undefined,
  };
  const result = spawn(world, BODY, () => body(simulationOf(world)));
  try {
    await drive(world);
  } finally {
    world.over = true;
  }
  return result;
}

/** Runs `body` under `count` seeds, or only under the one in MILLRACE_SEED, which is how a failure is looked at. */
export async function simulateSeeds(count: number, body: (sim: Simulation) => Promise<void>): Promise<void> {
  const only = process.env['MILLRACE_SEED'];
  if (only !== undefined) return simulate(Number(only), body);
  for (let seed = 1; seed <= count; seed++) await simulate(seed, body);
}
