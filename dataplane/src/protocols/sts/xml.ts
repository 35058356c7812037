/** XML as STS answers it: elements and text, no attributes but the namespace. */
import type { Reply } from '../contract.ts';

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** Elements by name, in order; undefined ones are left out. */
export interface Elements {
  readonly [name: string]: string | number | Elements | undefined;
}

/** An answer with `root` as its document element. It may hold credentials: nobody may keep it. */
export function stsReply(status: number, root: string, content: Elements, requestId: string): Reply {
  return {
    status,
    headers: { 'content-type': 'text/xml; charset=utf-8', 'cache-control': 'no-store', 'x-amzn-requestid': requestId },
    body: `<${root} xmlns="${NAMESPACE}">${render(content)}</${root}>\n`,
  };
}

/** Escapes text for an element; characters that XML 1.0 §2.2 has no way to write become U+FFFD. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

function render(content: Elements): string {
  return Object.entries(content)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${typeof value === 'object' ? render(value) : escapeText(String(value))}</${name}>`)
    .join('');
}
