import type { SourceMap } from 'node:module';
import type { CpuProfile } from './cpu-profile.js';

/** The source map of a file; null when it has none, and so is no bundle of ours. */
export type FindSourceMap = (url: string) => Pick<SourceMap, 'findEntry'> | null;

/** The profile with every function at home in the file it was written in: a program's `dist` holds many files in one. */
export function inSourceFiles(profile: CpuProfile, findSourceMap: FindSourceMap): CpuProfile {
  const nodes = profile.nodes.map((node) => ({ ...node, callFrame: inSourceFile(node.callFrame, findSourceMap) }));
  return { ...profile, nodes };
}

type CallFrame = CpuProfile['nodes'][number]['callFrame'];

function inSourceFile(frame: CallFrame, findSourceMap: FindSourceMap): CallFrame {
  const entry = findSourceMap(frame.url)?.findEntry(frame.lineNumber, frame.columnNumber);
  if (entry === undefined || !('originalSource' in entry)) return frame;
  return { ...frame, url: new URL(entry.originalSource, frame.url).href };
}
