import Table from 'cli-table3';
import type { Paint } from './paint.js';

export type PlainTable = { add: (cells: string[]) => void; gap: () => void; write: () => string };

const SIDES = ['top', 'bottom', 'left', 'right'];
const NO_FRAME = Object.fromEntries(
  ['mid', 'mid-mid', ...SIDES, ...SIDES.flatMap((side) => [`${side}-mid`, `${side}-left`, `${side}-right`])].map(
    (name) => [name, ''],
  ),
);

/** Columns and nothing else. A heading that ends in " >" has its column aligned to the right. */
export function createTable(headings: string[], paint: Paint): PlainTable {
  const table = new Table({
    head: headings.map((heading) => paint('dim', heading.replace(' >', ''))),
    colAligns: headings.map((heading) => (heading.endsWith(' >') ? 'right' : 'left')),
    chars: { ...NO_FRAME, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  return {
    add: (cells) => void table.push(headings.map((_, column) => cells[column] ?? '')),
    gap: () => void table.push(headings.map(() => '')),
    write: () => table.toString().replaceAll(/ +$/gm, ''),
  };
}
