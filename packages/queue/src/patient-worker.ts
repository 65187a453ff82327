import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'bullmq';

/** Long enough to cost nothing, short enough that nobody notices when Redis takes writes again. */
const REFUSED_PAUSE_MS = 500;

/**
 * BullMQ asks again at once when Redis answers, but refuses to hand out a job: full, read-only, a user who may not. That is
 * 10,000 errors a second and a busy core for as long as it lasts, so every refusal is followed by a pause.
 */
export class PatientWorker extends Worker {
  protected override async moveToActive(token: string, name?: string) {
    try {
      return await super.moveToActive(token, name);
    } catch (error) {
      await delay(REFUSED_PAUSE_MS);
      throw error;
    }
  }
}
