import type { ServerCommand } from '@driftwire/local-servers';

export type ChildPlan = {
  name: string;
  /** Asked again before every start. */
  command: () => ServerCommand;
  /** What keeps this process from being ready; undefined once nothing does. */
  findObstacle: (pid: number) => Promise<string | undefined>;
  stopSignal: NodeJS.Signals;
  /** How long it may take to stop before it is killed. */
  graceMs: number;
};

/** sysexits.h: the environment is wrong. The child has said how, and starting it again would not change it. */
export const EX_CONFIG = 78;
