/** The URL of a server that the global setup started. */
export function testServer(name: 'POSTGRES' | 'REDIS'): string {
  const url = process.env[`DRIFTWIRE_TEST_${name}`];
  if (url === undefined) throw new Error(`no test ${name}: run this through jest's integration project (npm test)`);
  return url;
}
