import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import nock from 'nock';

export type WireRequest = { headers: Record<string, string>; body: string };
type Answer = { status: number; body?: string; headers?: Record<string, string> };

/**
 * The one file that touches nock, which patches `http` for the whole process when it is imported. Only tests of the
 * jest project `wire` may use it: nock never reaches the agent, so address guard and timeouts do not exist here.
 */
export function useWireReceiver(origin: string, path: string) {
  const heard: WireRequest[] = [];
  beforeAll(() => {
    nock.disableNetConnect();
  });
  afterEach(() => {
    heard.length = 0;
    const unused = nock.pendingMocks();
    nock.cleanAll();
    expect(unused).toEqual([]);
  });
  afterAll(() => {
    nock.restore();
  });

  /** Answers the next requests, one each; a request beyond them finds nobody. */
  function answer(...answers: Answer[]): WireRequest[] {
    for (const { status, body = '', headers = {} } of answers) {
      const scope = nock(origin).post(path).reply(status, body, headers);
      scope.on('request', (request: { headers: Record<string, string> }, _interceptor: unknown, sent: string) =>
        heard.push({ headers: { ...request.headers }, body: sent }),
      );
    }
    return heard;
  }
  return { answer };
}
