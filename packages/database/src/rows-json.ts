/** More is written in turns, some milliseconds each. */
const IN_ONE_GO_BYTES = 256 * 1024;

let last: Promise<unknown> = Promise.resolve();

/**
 * Rows as the JSON that a statement takes. A statement of MiB holds the event loop while it is handed to Postgres: large ones
 * go one after another, each in a turn of its own.
 */
export function rowsJson<Row>(rows: readonly Row[], bytesOf: (row: Row) => number): string | Promise<string> {
  if (rows.reduce((bytes, row) => bytes + bytesOf(row), 0) <= IN_ONE_GO_BYTES) return JSON.stringify(rows);
  const mine = last.then(() => inTurns(rows, bytesOf));
  last = mine.then(nextTurn, nextTurn);
  return mine;
}

async function inTurns<Row>(rows: readonly Row[], bytesOf: (row: Row) => number): Promise<string> {
  const texts: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    texts.push(JSON.stringify(row));
    bytes += bytesOf(row);
    if (bytes < IN_ONE_GO_BYTES) continue;
    bytes = 0;
    await nextTurn();
  }
  const json = `[${texts.join()}]`;
  await nextTurn();
  return json;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
