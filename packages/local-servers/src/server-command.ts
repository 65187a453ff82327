/** Everything `spawn` needs, so that whoever started a server can start the very same one again. */
export type ServerCommand = {
  file: string;
  argv0?: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  uid?: number;
  gid?: number;
};
