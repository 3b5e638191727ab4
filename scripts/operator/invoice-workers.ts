import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('invoice-worker.ts', import.meta.url));

export interface StartWorkers {
  readonly count: number;
  /** It says which platform. */
  readonly environment: NodeJS.ProcessEnv;
  readonly namespace: string;
  readonly run: string;
  /** Called after each part with the customers in it. */
  readonly onCustomers: (customers: number) => void;
}

/** Workers on a run in processes of their own. If one fails it says so, and its part is taken over: the run needs none of them. */
export interface InvoiceWorkers {
  /** Lets them end, in the middle of their parts if need be. */
  end(): Promise<void>;
}

export function startInvoiceWorkers({ count, ...of }: StartWorkers): InvoiceWorkers {
  const children = Array.from({ length: count }, () => startWorker(of));
  return { end: async () => void (await Promise.all(children.map(endWorker))) };
}

function startWorker({
  environment,
  namespace,
  run,
  onCustomers,
}: Omit<StartWorkers, 'count'>): ChildProcess {
  const child = fork(PROGRAM, [`--namespace=${namespace}`, `--run=${run}`], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ...environment },
  });
  child.on('message', (customers) => onCustomers(Number(customers)));
  // What keeps one from starting keeps nobody from working.
  child.on('error', () => undefined);
  return child;
}

async function endWorker(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  await exited;
}
