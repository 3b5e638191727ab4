const BAR_CELLS = 30;
const LINE_EVERY_MS = 2_000;

export interface Progress {
  update(done: number): void;
  /** Says something between two states of the bar. */
  say(text: string): void;
  end(): void;
}

/** A bar on a terminal, a plain line now and then elsewhere; always on standard error. */
export function showProgress(label: string, total: number): Progress {
  const terminal = process.stderr.isTTY;
  const startedAt = performance.now();
  let lastLineAt = 0;
  let shown = '';
  const line = (done: number): string => {
    const share = total === 0 ? 1 : Math.min(done / total, 1);
    const seconds = (performance.now() - startedAt) / 1_000;
    const rate = Math.round(done / Math.max(seconds, 0.001)).toLocaleString('en-US');
    const bar = '█'.repeat(Math.round(share * BAR_CELLS)).padEnd(BAR_CELLS, '░');
    const counts = `${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}`;
    return `${label} ${terminal ? `${bar} ` : ''}${String(Math.floor(share * 100)).padStart(3)} %  ${counts}  ${rate}/s`;
  };
  const write = (text: string): void => {
    process.stderr.write(terminal ? `\r\u001b[2K${text}` : `${text}\n`);
  };
  return {
    update: (done) => {
      const now = performance.now();
      if (!terminal && now - lastLineAt < LINE_EVERY_MS) return;
      lastLineAt = now;
      shown = line(done);
      write(shown);
    },
    say: (text) => {
      process.stderr.write(terminal ? `\r\u001b[2K${text}\n${shown}` : `${text}\n`);
    },
    end: () => {
      write(line(total));
      if (terminal) process.stderr.write('\n');
    },
  };
}
