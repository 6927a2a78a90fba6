// Owns the terminal: lines on standard output, and a progress bar on standard error that they do not run into.
// Does not own what is said.

import { Presets, SingleBar } from 'cli-progress';

export interface Screen {
  say(...lines: string[]): void;
  progress(label: string, at: { done: number; of: number }): void;
  /** Takes the bar away. */
  finish(): void;
}

/** Says nothing and shows no bar: for `--json`, whose one object is all that may be printed. */
export const SILENT: Screen = { say: () => undefined, progress: () => undefined, finish: () => undefined };

export function openScreen(): Screen {
  let bar: SingleBar | undefined;
  // Both streams usually end up in one terminal: a line that is written over the bar must not keep its rest.
  const eraseBar = () => {
    if (bar !== undefined && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  };
  return {
    say(...lines) {
      eraseBar();
      process.stdout.write(`${lines.join('\n')}\n`);
    },
    progress(label, { done, of }) {
      if (!process.stderr.isTTY) return;
      bar ??= startBar(of);
      bar.update(done, { label });
    },
    finish() {
      bar?.stop();
      bar = undefined;
    },
  };
}

function startBar(total: number): SingleBar {
  const format = '  {label} |{bar}| {value} of {total} days, {eta} s left';
  const options = {
    format,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    forceRedraw: true,
    barsize: 32,
  };
  const bar = new SingleBar(options, Presets.shades_classic);
  bar.start(total, 0, { label: '' });
  return bar;
}
