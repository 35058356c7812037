/** Archives of one file, in the ustar format of POSIX.1-1988: enough for a layer of an image. */

const BLOCK = 512;

/** A tar archive that holds one file with these bytes. The name is ASCII, of at most 100 characters. */
export function tarOf(name: string, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(BLOCK);
  const field = (at: number, text: string) => head.write(text, at, 'ascii');
  field(0, name);
  field(100, '0000644\0');
  field(108, '0000000\0');
  field(116, '0000000\0');
  field(124, `${bytes.byteLength.toString(8).padStart(11, '0')}\0`);
  field(136, '00000000000\0');
  // The sum counts its own field as spaces.
  field(148, '        ');
  field(156, '0');
  field(257, 'ustar\0' + '00');
  const sum = head.reduce((total, byte) => total + byte, 0);
  field(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  const padding = Buffer.alloc((BLOCK - (bytes.byteLength % BLOCK)) % BLOCK);
  return Buffer.concat([head, bytes, padding, Buffer.alloc(2 * BLOCK)]);
}
