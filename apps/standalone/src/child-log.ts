import type { Screen } from '@driftwire/terminal';
import type { Stream } from './child-process.js';

export type ChildLog = {
  line: (text: string, stream: Stream) => void;
  /** From here on lines are shown as they come. */
  release: () => void;
  /** From here on lines are kept back, the last of them for the case that it ends badly. */
  hold: () => void;
  held: () => string[];
};

const KEPT_LINES = 20;

/**
 * What a child prints. Our own JSON log lines pass untouched; anything else gets the child's name in front, and is kept
 * back while the child starts or stops, when servers are talkative.
 */
export function createChildLog(name: string, screen: Screen): ChildLog {
  let held: string[] = [];
  let isHolding = true;
  return {
    line(text, stream) {
      const print = stream === 'stdout' ? screen.say : screen.complain;
      if (text.startsWith('{"')) print(text);
      else if (isHolding) held = [...held, text].slice(-KEPT_LINES);
      else print(`${name} | ${text}`);
    },
    release() {
      isHolding = false;
      held = [];
    },
    hold() {
      isHolding = true;
      held = [];
    },
    held: () => held,
  };
}
