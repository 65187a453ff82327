import type { CpuProfile } from './cpu-profile.js';

/** The lines of a file; null when it is not a bundle of ours. */
export type ReadBundle = (url: string) => string[] | null;

/**
 * The profile with every function at home in the file it was written in: a program's `dist` holds many files in one, and
 * a comment before each part names where it came from.
 */
export function inSourceFiles(profile: CpuProfile, readBundle: ReadBundle): CpuProfile {
  const nodes = profile.nodes.map((node) => ({ ...node, callFrame: inSourceFile(node.callFrame, readBundle) }));
  return { ...profile, nodes };
}

type CallFrame = CpuProfile['nodes'][number]['callFrame'];

function inSourceFile(frame: CallFrame, readBundle: ReadBundle): CallFrame {
  const lines = readBundle(frame.url)?.slice(0, frame.lineNumber + 1) ?? [];
  const comment = lines.findLast((line) => SOURCE_COMMENT.test(line));
  const [, source] = SOURCE_COMMENT.exec(comment ?? '') ?? [];
  return source === undefined ? frame : { ...frame, url: new URL(source, new URL('..', frame.url)).href };
}

/** Relative to the workspace, one level above `dist`. */
const SOURCE_COMMENT = /^\s*\/\/ ((?:src|\.\.)\/\S+)$/;
