import { ADMIN_API_KEY } from './processes.js';

// biome-ignore lint/suspicious/noExplicitAny: a test asserts on what came back, whatever its type
export type ApiAnswer = { status: number; headers: Headers; body: any; text: string };

export type ApiClient = {
  get: (path: string) => Promise<ApiAnswer>;
  post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<ApiAnswer>;
  patch: (path: string, body: unknown) => Promise<ApiAnswer>;
  delete: (path: string) => Promise<ApiAnswer>;
  /** The same API with another key; null sends none. */
  as: (key: string | null) => ApiClient;
  /** Another API with the same key. */
  at: (url: string) => ApiClient;
};

/** Talks to a running API over HTTP. A string body is sent as it is, anything else as JSON. */
export function apiClient(url: string, key: string | null = ADMIN_API_KEY): ApiClient {
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text, text };
  }
  return {
    get: (path) => call('GET', path),
    post: (path, body, headers) => call('POST', path, body, headers),
    patch: (path, body) => call('PATCH', path, body),
    delete: (path) => call('DELETE', path),
    as: (other) => apiClient(url, other),
    at: (other) => apiClient(other, key),
  };
}
