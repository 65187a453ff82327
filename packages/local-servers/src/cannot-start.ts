/** Something the person at the terminal must change. The message is one line that says what is wrong and what to do. */
export class CannotStart extends Error {
  override name = 'CannotStart';
}
