import fc from 'fast-check';

/** Texts that have broken somebody's software before. */
const HOSTILE_TEXTS = [
  '',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202e\u200b\ufeff',
  '\r\nX-Injected: 1',
  "'; DROP TABLE deliveries; --",
  "' OR '1'='1",
  '{{7*7}}<%= 7*7 %>#{7*7}',
  '../../../../etc/passwd',
  '%00%2e%2e%2f',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-1',
  '1e400',
  '9'.repeat(400),
  'x'.repeat(70_000),
  '\u0130\u017f\u212a',
  '2026-13-45T99:99:99Z',
  '0000-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '0189-0000',
  'http://127.0.0.1:1/',
  'http://[::1]:1/',
  'http://0x7f.1:1/',
  'http://user:pass@127.0.0.1:1/',
  'file:///etc/passwd',
  'gopher://127.0.0.1:1/_x',
  'whsec_',
  'whsec_AAAA',
] as const;

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

/** Anything JSON can say, the odd ends of it first. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      ...[null, true, false, 0, -0, -1, 1e308, 5e-324, 2 ** 53, 2 ** 63, 0.1, [], {}, [[]], [null], { '': '' }],
    ),
  },
  { weight: 1, arbitrary: fc.constant(JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":{}}}')) },
  { weight: 1, arbitrary: fc.integer({ min: 50, max: 3_000 }).map(nested) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** What is no JSON, or JSON with what a parser must not swallow. */
export const hostileBody: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.constantFrom<string>(
    ...['', ' ', '{', '[', '{"a":}', '"', 'nul', '{"a":1,"a":2}', '{"a":1e999}', '[1,]', '\ufeff{}', '{}{}', "{'a':1}"],
    `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    `{"data":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
    `{"name":"${'x'.repeat(300_000)}"}`,
    '{"name":"\\ud800","role":"admin"}',
    '{"__proto__":{"role":"admin"}}',
  ),
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ maxLength: 200 }),
);
