import type { Stack } from '@driftwire/testing';

/** What API and worker say of Redis, like `ok,down`. */
export async function redisReadiness({ api, apis, workers }: Stack): Promise<string> {
  const answers = await Promise.all([...apis, ...workers].map(({ url }) => api.at(url).get('/readyz')));
  return answers.map(({ body }) => body.redis).join();
}
