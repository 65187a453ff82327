import { join } from 'node:path';
import { readJsonFile, replaceFile } from './atomic-file.js';
import { identifyProcess, isIdentity, type ProcessIdentity } from './process-identity.js';

export type ChildRecord = ProcessIdentity & { name: string };

export type ChildRecords = {
  /** What an earlier start wrote and did not live to remove. */
  left: ChildRecord[];
  add: (name: string, pid: number) => void;
  remove: (pid: number) => void;
};

/** On disk before the child does anything, so that a kill -9 of the supervisor leaves no child unknown. */
export function openChildRecords(dataDir: string): ChildRecords {
  const file = join(dataDir, 'children.json');
  const left = asRecords(readJsonFile(file));
  let records = left;
  const replace = (next: ChildRecord[]) => {
    records = next;
    replaceFile(file, JSON.stringify(records, null, 2));
  };
  return {
    left,
    add(name, pid) {
      const identity = identifyProcess(pid);
      if (identity) replace([...records, { name, ...identity }]);
    },
    remove: (pid) => replace(records.filter((record) => record.pid !== pid)),
  };
}

function asRecords(value: unknown): ChildRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is ChildRecord {
  return isIdentity(value) && 'name' in value && typeof value.name === 'string';
}
