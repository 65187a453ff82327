import type { Writable } from 'node:stream';
import { createScreen, type Screen } from './screen.js';

/** A screen with one line at the bottom that changes in place. Where there is no terminal, each change is a line. */
export type LiveScreen = Screen & {
  update: (line: string) => void;
  /** Leaves the live line as it stands; what is updated next is a new one. */
  settle: () => void;
};

export type Output = Writable & { isTTY?: boolean; columns?: number };

const ERASE = '\r\x1b[2K';

export function createLiveScreen(stdout: Output, stderr: Writable): LiveScreen {
  const screen = createScreen(stdout, stderr);
  let live = '';
  if (!stdout.isTTY) return { ...screen, update: sayChanges(screen), settle: () => {} };
  // Cut to what fits: a line that wraps could not be erased.
  const draw = () => stdout.write(ERASE + live.slice(0, (stdout.columns || 80) - 1));
  const above = (print: (line: string) => void) => (line: string) => {
    if (live !== '') stdout.write(ERASE);
    print(line);
    if (live !== '') draw();
  };
  return {
    say: above(screen.say),
    complain: above(screen.complain),
    update(line) {
      live = line;
      draw();
    },
    settle() {
      if (live !== '') stdout.write('\n');
      live = '';
    },
  };
}

function sayChanges({ say }: Screen): (line: string) => void {
  let last = '';
  return (line) => {
    if (line !== last) say(line);
    last = line;
  };
}
