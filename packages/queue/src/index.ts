export {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  type RequestOver,
  type RequestWatch,
} from './consumer.js';
export {
  bulkJob,
  DELIVERY_QUEUE,
  type DeliveryJob,
  type DeliveryWakeUp,
  deliveryJobId,
  inJobs,
  jobDataSchema,
  membersOf,
} from './delivery-job.js';
export { createEnqueueBuffer, type EnqueueBuffer, type EnqueueBufferDeps } from './enqueue-buffer.js';
export type { JobPresence } from './job-presence.js';
export { createProducer, type Producer, type QueueOptions } from './producer.js';
export { connectCounter } from './redis-connection.js';
export { RedisRefusal } from './redis-refusal.js';
export { createRunJob, type DeliveryToRun, type JobEnding, type Pace, recordedDelay } from './run-job.js';
export { type ErrorListener, withoutRepeats } from './without-repeats.js';
