import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/**
 * At most so many requests per second and key, counted in this process: with several API processes a key gets as many
 * times the limit. 0 switches it off. Counts after authentication, so that a stranger cannot use up somebody's share, and
 * before the body is read.
 */
export async function limitRate(app: FastifyInstance, perSecond: number): Promise<void> {
  if (perSecond === 0) return;
  await app.register(rateLimit, {
    max: perSecond,
    timeWindow: 1_000,
    hook: 'preParsing',
    enableDraftSpec: true,
    keyGenerator: (request) => request.caller?.keyId ?? 'environment',
    errorResponseBuilder: () =>
      new Problem('rate_limited', `This key may make ${perSecond} requests per second: wait, or send batches.`),
  });
}
