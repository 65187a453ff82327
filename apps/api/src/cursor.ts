import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalid } from './problem.js';

const ID_BYTES = 16;
const MAC_BYTES = 8;

export type Cursors = { encode: (id: string) => string; decode: (cursor: string) => string };

/**
 * Opaque cursors over the id of a page's last row. Sealed with a MAC, so that a cursor is either one of ours or a 400:
 * nobody comes to depend on what is inside.
 */
export function createCursors(secret: string): Cursors {
  const macOf = (id: Buffer) =>
    createHmac('sha256', secret).update('cursor').update(id).digest().subarray(0, MAC_BYTES);

  return {
    encode(id) {
      const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
      return Buffer.concat([bytes, macOf(bytes)]).toString('base64url');
    },
    decode(cursor) {
      const bytes = Buffer.from(cursor, 'base64url');
      const [id, mac] = [bytes.subarray(0, ID_BYTES), bytes.subarray(ID_BYTES)];
      const isOurs =
        mac.length === MAC_BYTES && timingSafeEqual(mac, macOf(id)) && bytes.toString('base64url') === cursor;
      if (!isOurs) throw invalid([{ pointer: '/cursor', detail: 'is not a cursor from a previous page' }]);
      return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
  };
}
