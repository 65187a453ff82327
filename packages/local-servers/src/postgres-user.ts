import { spawnSync } from 'node:child_process';
import { CannotStart } from './cannot-start.js';

/** `ids` for spawn, or a `prefix` in front of the command that takes on the ids itself. */
export type RunAs = { prefix: string[]; ids: { uid?: number; gid?: number } };
export type User = { uid: number; gid: number };

/** The user Postgres should run as, if not the one we are: it refuses to run as root. */
export function findServerUser(owner: User): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (owner.uid !== 0) return owner;
  return lookUpPostgresUser() ?? createPostgresUser();
}

/**
 * Root may have put the project where nobody else can enter (/root, a mode 0700 mktemp directory). There Postgres keeps,
 * besides its user id, the one capability to pass. `no_setuid_fixup` makes access(2), by which Postgres looks for its own
 * binaries, count it too.
 */
export function runAs(user: User | undefined, directories: string[]): RunAs {
  if (!user) return { prefix: [], ids: {} };
  if (canEnter(directories, [], user)) return { prefix: [], ids: user };
  const prefix = passingPrefix(user);
  if (canEnter(directories, prefix, {})) return { prefix, ids: {} };
  throw new CannotStart(
    `Postgres cannot run as root, and user id ${user.uid} cannot enter ${directories.join(' or ')}: move the project or DATA_DIR to where others may enter, install setpriv (util-linux), or set DATABASE_URL`,
  );
}

function passingPrefix({ uid, gid }: User): string[] {
  const identity = ['--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups'];
  const passage = [
    '--inh-caps',
    '+dac_override',
    '--ambient-caps',
    '+dac_override',
    '--securebits',
    '+no_setuid_fixup',
  ];
  return ['setpriv', ...identity, ...passage];
}

function canEnter(directories: string[], prefix: string[], ids: RunAs['ids']): boolean {
  return directories.every((directory) => {
    const [file = 'test', ...args] = [...prefix, 'test', '-x', directory];
    return spawnSync(file, args, { ...ids, cwd: '/' }).status === 0;
  });
}

function lookUpPostgresUser(): User | undefined {
  const uid = numberFrom(['id', '-u', 'postgres']);
  const gid = numberFrom(['id', '-g', 'postgres']);
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

function createPostgresUser(): User {
  spawnSync('groupadd', ['--system', 'postgres']);
  spawnSync('useradd', ['--system', '--no-create-home', '--gid', 'postgres', 'postgres']);
  const user = lookUpPostgresUser();
  if (user) return user;
  throw new CannotStart(
    'Postgres cannot run as root and a user "postgres" could not be created: create one, start as an ordinary user, or set DATABASE_URL',
  );
}

function numberFrom([file = '', ...args]: string[]): number | undefined {
  const { status, stdout } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}
