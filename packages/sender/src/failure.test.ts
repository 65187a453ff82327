import { expect, test } from '@jest/globals';
import { failure, failureOf, kindOfCode } from './failure.js';

test.each([
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['ENODATA', 'dns'],
  ['ESERVFAIL', 'dns'],
  ['SERVFAIL', 'dns'],
  ['ECONNREFUSED', 'refused'],
  ['EHOSTUNREACH', 'refused'],
  ['ENETUNREACH', 'refused'],
  ['ECONNRESET', 'reset'],
  ['ECONNABORTED', 'reset'],
  ['EPIPE', 'reset'],
  ['ETIMEDOUT', 'timeout'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['CERT_NOT_YET_VALID', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls'],
  ['ERROR_IN_CERT_NOT_AFTER_FIELD', 'tls'],
  ['INVALID_PURPOSE', 'tls'],
  ['EPROTO', 'tls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
  ['HPE_INVALID_CONSTANT', 'protocol'],
  ['HPE_HEADER_OVERFLOW', 'protocol'],
  ['ERR_DRIFTWIRE_BLOCKED', 'blocked'],
  ['EMFILE', 'protocol'],
  ['ERR_GOT_REQUEST_ERROR', 'protocol'],
  ['', 'protocol'],
])('%s is %s', (code, kind) => {
  expect(kindOfCode(code)).toBe(kind);
});

test('when every address of a name fails, the code speaks for the error without a message', () => {
  const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(failureOf(error)).toEqual({
    kind: 'refused',
    error: 'Connection refused or host unreachable: ECONNREFUSED',
  });
});

test('an error is one storable line of at most 500 bytes that starts with our words', () => {
  const { error } = failure('tls', `a\r\nb\0c\u2028d \ud800 ${'é'.repeat(1000)}`);
  expect(error).toMatch(/^TLS failed: a b c d \ufffd é+$/);
  expect(Buffer.byteLength(error)).toBeLessThanOrEqual(500);
});

test.each([undefined, null, 'text', 7, { code: 'ECONNRESET' }])(
  '%p as an error is a failed attempt, not a crash',
  (thrown) => {
    expect(failureOf(thrown).kind).toBe('protocol');
  },
);
