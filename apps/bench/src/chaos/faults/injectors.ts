import type { FaultKind } from '../fault-kinds.js';
import type { Inject, Strike } from './arena.js';
import { FLOW_FAULTS } from './flow-faults.js';
import { POSTGRES_FAULTS } from './postgres-faults.js';
import { killOne, stopOne } from './process-faults.js';
import { RECEIVER_FAULTS } from './receiver-faults.js';
import { REDIS_FAULTS } from './redis-faults.js';
import { WORKER_FAULTS } from './worker-faults.js';

const apis = ({ arena }: Strike) => arena.stack.apis;

/** How each kind of fault is done. */
export const INJECTORS: Record<FaultKind, Inject> = {
  ...WORKER_FAULTS,
  ...FLOW_FAULTS,
  'api-kill': killOne(apis),
  'api-stop': stopOne(apis),
  ...REDIS_FAULTS,
  ...POSTGRES_FAULTS,
  ...RECEIVER_FAULTS,
};
