import got, { type Got } from 'got';

/** What a post came to. `unreachable`: no answer, so it may or may not have been stored. */
export type PostAnswer = { status: number; body: unknown } | { status: 'unreachable' };

export type AcceptedEvent = { id: string; deliveries: { id: string }[] };

export type ChaosApi = {
  create: (path: string, body: object) => Promise<string>;
  deactivateEndpoint: (id: string) => Promise<boolean>;
  closeCircuit: (id: string) => Promise<boolean>;
  /** One try at the API with this index. */
  post: (path: string, request: { api: number; body: object; headers?: Record<string, string> }) => Promise<PostAnswer>;
};

const PATIENCE_MS = 10_000;

export function openChaosApi(urls: readonly string[], key: string): ChaosApi {
  const clients = urls.map((url) => openClient(url, key));
  const client = (index: number): Got => clients[index % clients.length] ?? got;
  return {
    async create(path, json) {
      const { id } = await client(0).post(path, { json, throwHttpErrors: true }).json<{ id: string }>();
      return id;
    },
    deactivateEndpoint: (id) => succeeds(client(1).patch(`v1/endpoints/${id}`, { json: { active: false } })),
    closeCircuit: (id) => succeeds(client(1).post(`v1/endpoints/${id}/close-circuit`)),
    async post(path, { api, body: json, headers = {} }) {
      try {
        const { statusCode, body } = await client(api).post(path, { json, headers });
        return { status: statusCode, body: parseJson(body) };
      } catch {
        return { status: 'unreachable' };
      }
    },
  };
}

function succeeds(request: Promise<{ statusCode: number }>): Promise<boolean> {
  return request.then(
    ({ statusCode }) => statusCode === 200,
    () => false,
  );
}

function openClient(prefixUrl: string, key: string): Got {
  return got.extend({
    prefixUrl,
    headers: { authorization: `Bearer ${key}` },
    timeout: { request: PATIENCE_MS },
    retry: { limit: 0 },
    throwHttpErrors: false,
  });
}

/** Of a 202, where it matters, the body is what the API's own tests say it is. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
