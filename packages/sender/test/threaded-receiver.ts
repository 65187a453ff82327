import { Worker } from 'node:worker_threads';
import { fixture, type Receiver } from './receivers.js';

export type ThreadedReceiver = Pick<Receiver, 'port' | 'url' | 'close'> & {
  /** Requests whose head has arrived. */
  heard: () => number;
  /** Blocks this thread until every request is answered: the answers are then in the sockets, unread. */
  answerWhileBlocked: () => void;
};

const HEARD = 0;
const TOLD = 1;
const ANSWERED = 2;

/** A receiver that works while this thread is blocked. It answers 200 once it is told to. */
export async function threadedReceiver(scheme: 'http' | 'https'): Promise<ThreadedReceiver> {
  const marks = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  const tls = scheme === 'https' ? { key: fixture('server.key'), cert: fixture('valid') } : undefined;
  const worker = new Worker(new URL('threaded-receiver-thread.mjs', import.meta.url), {
    workerData: { marks, heard: HEARD, told: TOLD, answered: ANSWERED, tls },
  });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return {
    port,
    url: `${scheme}://localhost:${port}/hook`,
    heard: () => Atomics.load(marks, HEARD),
    answerWhileBlocked: () => {
      Atomics.store(marks, TOLD, 1);
      Atomics.notify(marks, TOLD);
      if (Atomics.wait(marks, ANSWERED, 0, 2000) === 'timed-out') throw new Error('the receiver did not answer');
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

/** Blocks this thread, as work that never yields or a SIGSTOP would. */
export function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms);
}
