export { type PostgresUrl, readPostgresUrl } from './postgres-url.js';
