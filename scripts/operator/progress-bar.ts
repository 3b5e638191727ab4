import { showProgress, type Progress } from '#pipelines/demo/progress.ts';

/** A bar on a terminal, a plain line now and then elsewhere, from the first state on that is told. */
export interface ProgressBar {
  update(done: number, total: number): void;
  end(): void;
}

export function progressBar(label: string): ProgressBar {
  let shown: Progress | undefined;
  return {
    update: (done, total) => (shown ??= showProgress(label, total)).update(done),
    end: () => shown?.end(),
  };
}
