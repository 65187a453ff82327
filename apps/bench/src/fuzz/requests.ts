import fc from 'fast-check';
import { hostileBody, hostileText } from './hostile-values.js';
import type { Method, Operation } from './operations.js';
import { bent, goodValue, type Hints } from './schema-values.js';

/** Who sends: their keys, by a name for the report. */
export type Callers = Record<string, string | undefined>;

export type FuzzRequest = {
  operation: Operation;
  caller: string;
  method: Method;
  /** With its query, as it goes onto the wire. */
  target: string;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
};

/** What there is to be read, changed and named, so that not every request ends in a 404. */
export type World = {
  callers: Callers;
  /** Ids by the first word of a path: customers, endpoints, …; of more than one customer. */
  ids: Record<string, readonly string[]>;
  hints: Hints;
};

export function requestOf(operations: readonly Operation[], world: World): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(...operations.map((operation) => oneRequest(operation, world)));
}

function oneRequest(operation: Operation, { callers, ids, hints }: World): fc.Arbitrary<FuzzRequest> {
  const [, , things = ''] = operation.path.split('/');
  const id = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('none', ...(ids[things] ?? [])) },
    { weight: 1, arbitrary: fc.uuid() },
    { weight: 1, arbitrary: hostileText.map(encoded) },
  );
  const caller = fc.oneof(
    // The key that may do everything, and the others.
    { weight: 2, arbitrary: fc.constant('platform') },
    { weight: 3, arbitrary: fc.constantFrom(...Object.keys(callers)) },
  );
  return fc
    .record({
      id,
      caller,
      query: queryOf(operation, hints),
      headers: headersOf(operation, hints),
      body: bodyOf(operation, hints),
    })
    .map(({ id: pathId, query, headers, body, ...rest }) => ({
      ...rest,
      operation,
      method: operation.method,
      target: operation.path.replace('{id}', pathId) + query,
      headers: { ...headers, ...body.headers },
      body: body.content,
    }));
}

function queryOf({ parameters }: Operation, hints: Hints): fc.Arbitrary<string> {
  const named = parameters.filter((parameter) => parameter.in === 'query');
  const values = named.map(({ name, schema }) => [
    name,
    fc.option(
      fc.oneof({ weight: 4, arbitrary: goodValue(schema, hints, name) }, { weight: 1, arbitrary: hostileText }),
      { freq: 2, nil: undefined },
    ),
  ]);
  const good = fc.record(Object.fromEntries(values) as Record<string, fc.Arbitrary<unknown>>);
  const pairs = good.map((query) =>
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encoded(`${value}`)}`])),
  );
  const odd = fc.constantFrom(
    '',
    '',
    '',
    '',
    'limit=5',
    'limit=5&limit=6',
    'unknown=1',
    '%zz',
    '__proto__=1',
    'limit[]=1',
  );
  return fc.tuple(pairs, odd).map(([given, more]) => {
    const all = [...given, more].filter((pair) => pair !== '');
    return all.length === 0 ? '' : `?${all.join('&')}`;
  });
}

/** Node's client refuses to send what no header may hold; raw requests are tested elsewhere (apps/api/test). */
const SENDABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

function headersOf({ parameters }: Operation, hints: Hints): fc.Arbitrary<Record<string, string>> {
  const named = parameters.filter((parameter) => parameter.in === 'header');
  if (named.length === 0) return fc.constant({});
  const hostile = hostileText.filter((text) => SENDABLE.test(text) && text.length < 4_000);
  const values = named.map(({ name, schema }) => {
    const good = goodValue(schema, hints, name)
      .map(String)
      .filter((text) => SENDABLE.test(text));
    return [name, fc.oneof({ weight: 3, arbitrary: good }, { weight: 1, arbitrary: hostile })] as const;
  });
  return fc.record(Object.fromEntries(values), { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
}

type Body = { content: string | Uint8Array | undefined; headers: Record<string, string> };

const JSON_TYPE = { 'content-type': 'application/json' };
const WRONG_TYPES = ['text/plain', 'application/xml', 'application/json; charset=utf-16', 'multipart/form-data', 'x'];

function bodyOf({ body, method }: Operation, hints: Hints): fc.Arbitrary<Body> {
  const none = fc.constant<Body>({ content: undefined, headers: {} });
  if (body === undefined) {
    const unasked = hostileBody.map((content): Body => ({ content, headers: JSON_TYPE }));
    return method === 'GET' ? none : fc.oneof({ weight: 6, arbitrary: none }, { weight: 1, arbitrary: unasked });
  }
  const good = goodValue(body, hints);
  const asJson = (value: unknown): Body => ({ content: JSON.stringify(value) ?? 'null', headers: JSON_TYPE });
  return fc.oneof(
    { weight: 6, arbitrary: good.map(asJson) },
    { weight: 6, arbitrary: bent(good).map(asJson) },
    { weight: 2, arbitrary: hostileBody.map((content) => ({ content, headers: JSON_TYPE })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(good, fc.constantFrom(...WRONG_TYPES))
        .map(([value, type]) => ({ ...asJson(value), headers: { 'content-type': type } })),
    },
    { weight: 1, arbitrary: none },
  );
}

/** A lone surrogate cannot be written as a URL; its replacement can. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}
