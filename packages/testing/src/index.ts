export { type ApiAnswer, type ApiClient, apiClient } from './api-client.js';
export { aDriftEvent, driftData } from './builders.js';
export { type FreshDatabase, freshDatabase } from './fresh-database.js';
export { type FreshRedis, freshRedis } from './fresh-redis.js';
export { ADMIN_API_KEY, type ProcessOptions, startApi, startWorker, type TestProcess } from './processes.js';
export { type Received, type Receiver, type Reply, startReceiver } from './receiver.js';
export { type Stack, startStack } from './stack.js';
export { testServer } from './test-server.js';
export { until } from './until.js';
