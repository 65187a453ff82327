import type { ChildPlan } from './child-plan.js';
import { type ChildDeps, type SupervisedChild, superviseChild } from './supervised-child.js';

export type Supervisor = {
  /** Starts children side by side and waits until all of them are ready. */
  start: (plans: ChildPlan[], signal: AbortSignal) => Promise<void>;
  /** Stops what was started, last stage first, each stage before the next. */
  stop: () => Promise<void>;
};

export function createSupervisor(deps: ChildDeps): Supervisor {
  const stages: SupervisedChild[][] = [];
  return {
    async start(plans, signal) {
      signal.throwIfAborted();
      const stage = plans.map((plan) => superviseChild(plan, deps));
      stages.push(stage);
      await Promise.all(stage.map((child) => child.whenReady(signal)));
    },
    async stop() {
      for (const stage of stages.splice(0).reverse()) await Promise.all(stage.map((child) => child.stop()));
    },
  };
}
