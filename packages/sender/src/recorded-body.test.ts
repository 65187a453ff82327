import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { recordedBody } from './recorded-body.js';

const PAGE = Buffer.from('{"error":"not today"}\r\n\tüñ 医療');
const PICTURE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), gzipSync('x')]);

test.each<[string, Buffer, string | undefined, string]>([
  ['text', PAGE, undefined, PAGE.toString()],
  ['gzip', gzipSync(PAGE), 'gzip', `[gzip, ${gzipSync(PAGE).length} bytes read]`],
  ['gzip, as old servers name it', gzipSync(PAGE), 'X-GZIP', `[x-gzip, ${gzipSync(PAGE).length} bytes read]`],
  ['a short deflate', deflateSync('ok'), 'deflate', `[deflate, ${deflateSync('ok').length} bytes read]`],
  ['a short br', brotliCompressSync('ok'), 'identity, br', `[br, ${brotliCompressSync('ok').length} bytes read]`],
  ['gzip that nobody says is gzip', gzipSync(PAGE), undefined, `[binary, ${gzipSync(PAGE).length} bytes read]`],
  ['a picture', PICTURE, undefined, `[binary, ${PICTURE.length} bytes read]`],
  ['text that is said to be gzip', PAGE, 'gzip', PAGE.toString()],
  ['text with an encoding that is a character set', PAGE, 'utf-8', PAGE.toString()],
  [
    'latin-1',
    Buffer.from('Zugriff verweigert für Übermut', 'latin1'),
    undefined,
    'Zugriff verweigert f\ufffdr \ufffdbermut',
  ],
  ['a few odd bytes', Buffer.from([0x61, 0, 0xff, 0x62]), undefined, 'a\ufffd\ufffdb'],
  ['nothing', Buffer.alloc(0), 'gzip', ''],
])('%s', (_, body, contentEncoding, recorded) => {
  const headers = contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding };
  expect(recordedBody({ start: body, readBytes: body.length }, headers)).toBe(recorded);
});
