import { styleText } from 'node:util';

/** Colours for a person at a terminal. */
export type Paint = (color: Color, text: string) => string;
export type Color = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/** https://no-color.org: any value but the empty one says no. */
export function choosePaint({ isTTY, env }: { isTTY: boolean; env: Record<string, string | undefined> }): Paint {
  const isWelcome = isTTY && !env.NO_COLOR && env.TERM !== 'dumb';
  return isWelcome ? (color, text) => styleText(color, text, { validateStream: false }) : (_, text) => text;
}
