/** Requests that two servers could read in two ways, and requests that are none, each with another one hidden behind it. */
import { BUCKET } from './openServer.ts';

/** The header that each of them has. */
export const HOST = 'Host: store.example\r\n';
/** What an attacker hides: done, it would leave a name behind. */
const HIDDEN = `PUT /${BUCKET}/smuggled HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\nx`;
/** A PUT with these headers, each ended, and this body. */
export const put = (headers: string, body = '') => `PUT /${BUCKET}/front HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const get = (headers: string) => `GET /${BUCKET}/front HTTP/1.1\r\n${HOST}${headers}\r\n${HIDDEN}`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const chunked = (body: string) => put(CHUNKED, `${body}${HIDDEN}`);
const length = (value: string) => put(`Content-Length: ${value}\r\n`, HIDDEN);
const coding = (header: string) => put(`${header}\r\n`, `0\r\n\r\n${HIDDEN}`);

/** The S3 codes that a shape may be refused with, and its bytes. */
export const REFUSED: Readonly<Record<string, readonly [codes: string, bytes: string]>> = {
  'length, then coding': ['InvalidRequest', put(`Content-Length: 5\r\n${CHUNKED}`, `0\r\n\r\n${HIDDEN}`)],
  'coding, then length': ['InvalidRequest', put(`${CHUNKED}Content-Length: 5\r\n`, `0\r\n\r\n${HIDDEN}`)],
  'two lengths': ['InvalidRequest', put('Content-Length: 0\r\nContent-Length: 70\r\n', HIDDEN)],
  'two equal lengths': ['InvalidRequest', put('Content-Length: 0\r\nContent-Length: 0\r\n', HIDDEN)],
  'a length with a plus': ['InvalidRequest', length('+0')],
  'a length with a minus': ['InvalidRequest', length('-1')],
  'a length with a space within': ['InvalidRequest', length('0 0')],
  'a list of lengths': ['InvalidRequest', length('0, 0')],
  'a length in hexadecimal': ['InvalidRequest', length('0x0')],
  'no length in the field': ['InvalidRequest', length('')],
  'a length of letters': ['InvalidRequest', length('zero')],
  'a length beyond all bounds': ['InvalidRequest', length('18446744073709551616')],
  'chunked twice': ['InvalidRequest', coding(`${CHUNKED}Transfer-Encoding: chunked`)],
  'chunked twice in a list': ['InvalidRequest', coding('Transfer-Encoding: chunked, chunked')],
  'chunked, then identity': ['InvalidRequest', coding(`${CHUNKED}Transfer-Encoding: identity`)],
  'identity with a length': ['InvalidRequest', coding('Transfer-Encoding: identity\r\nContent-Length: 0')],
  'chunked before another': ['InvalidRequest|NotImplemented', coding('Transfer-Encoding: chunked, gzip')],
  'chunked after another': ['NotImplemented', coding('Transfer-Encoding: gzip, chunked')],
  'a coding that looks like chunked': ['InvalidRequest|NotImplemented', coding('Transfer-Encoding: xchunked')],
  'a coding in quotes': ['InvalidRequest|NotImplemented', coding('Transfer-Encoding: "chunked"')],
  'a coding behind a vertical tab': ['InvalidRequest', coding('Transfer-Encoding: \x0bchunked')],
  'a coding before a null': ['InvalidRequest', coding('Transfer-Encoding: chunked\0')],
  'a coding with a parameter': ['InvalidRequest|NotImplemented', coding('Transfer-Encoding: chunked;q=1')],
  'an empty coding': ['InvalidRequest', coding('Transfer-Encoding:')],
  'a space before the colon of a coding': ['InvalidRequest', coding('Transfer-Encoding : chunked')],
  'a folded coding': ['InvalidRequest', coding('Transfer-Encoding:\r\n chunked')],
  'a folded header': ['InvalidRequest', get('X-A: 1\r\n 2\r\n')],
  'a fold in the first header': ['InvalidRequest', `GET /${BUCKET}/front HTTP/1.1\r\n ${HOST}\r\n${HIDDEN}`],
  'a coding in HTTP/1.0': [
    'InvalidRequest',
    `PUT /${BUCKET}/front HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n${CHUNKED}\r\n0\r\n\r\n${HIDDEN}`,
  ],
  'a chunk size with a sign': ['InvalidRequest', chunked('+1\r\nx\r\n0\r\n\r\n')],
  'a negative chunk size': ['InvalidRequest', chunked('-1\r\nx\r\n0\r\n\r\n')],
  'a chunk size with 0x': ['InvalidRequest', chunked('0x1\r\nx\r\n0\r\n\r\n')],
  'a space behind a chunk size': ['InvalidRequest', chunked('1 \r\nx\r\n0\r\n\r\n')],
  'a chunk size that overflows': ['InvalidRequest', chunked('10000000000000001\r\nx\r\n0\r\n\r\n')],
  'no chunk size': ['InvalidRequest', chunked('\r\nx\r\n0\r\n\r\n')],
  'a chunk longer than its size': ['InvalidRequest', chunked('1\r\nxyz\r\n0\r\n\r\n')],
  'a chunk shorter than its size': ['InvalidRequest', chunked('3\r\nx\r\n0\r\n\r\n')],
  'line feeds alone in chunks': ['InvalidRequest', chunked('1\nx\n0\n\n')],
  'a line feed alone in a chunk extension': ['InvalidRequest', chunked('1;a=\nb\r\nx\r\n0\r\n\r\n')],
  'a carriage return alone in a chunk extension': ['InvalidRequest', chunked('1;a=\rb\r\nx\r\n0\r\n\r\n')],
  'chunk extensions without end': ['RequestHeaderSectionTooLarge', chunked(`1;${'a'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`)],
  'a length in the trailers': ['InvalidRequest', chunked('1\r\nx\r\n0\r\nContent-Length: 5\r\n\r\n')],
  'a coding in the trailers': ['InvalidRequest', chunked('1\r\nx\r\n0\r\nTransfer-Encoding: gzip\r\nContent-Length: 9\r\n\r\n')],
  'trailers without end': ['RequestHeaderSectionTooLarge', chunked(`1\r\nx\r\n0\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`)],
  'line feeds alone': ['InvalidRequest', `GET /${BUCKET}/front HTTP/1.1\n${HOST.replace('\r', '')}\n${HIDDEN}`],
  'a line feed alone behind a header': ['InvalidRequest', get('X-A: 1\nX-B: 2\r\n')],
  'a carriage return alone in a header': ['InvalidRequest', get('X-A: 1\rX-B: 2\r\n')],
  'a null in a header': ['InvalidRequest', get('X-A: a\0b\r\n')],
  'a header without a colon': ['InvalidRequest', get('Nothing\r\n')],
  'a header without a name': ['InvalidRequest', get(': nothing\r\n')],
  'a header name with brackets': ['InvalidRequest', get('X(A): 1\r\n')],
  'a header name that is not ASCII': ['InvalidRequest', get('X\xc3\xa9: 1\r\n')],
  'a header name with a null': ['InvalidRequest', get('X\0: 1\r\n')],
  'two Hosts': ['InvalidRequest', get('Host: other.example\r\n')],
  'two equal Hosts': ['InvalidRequest', get(HOST)],
  'no Host': ['InvalidRequest', `GET /${BUCKET}/front HTTP/1.1\r\n\r\n${HIDDEN}`],
  'a Host with a path': ['InvalidRequest', `GET /${BUCKET}/front HTTP/1.1\r\nHost: a/b\r\n\r\n${HIDDEN}`],
  'a Host with a user': ['InvalidRequest', `GET /${BUCKET}/front HTTP/1.1\r\nHost: user@a\r\n\r\n${HIDDEN}`],
  'an absolute target of another host': ['InvalidRequest', `GET http://other.example/${BUCKET}/front HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'an absolute target with a user': ['InvalidRequest|InvalidURI', `GET http://u@store.example/${BUCKET} HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'an absolute target of another scheme': ['InvalidURI', `GET ftp://store.example/${BUCKET} HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a target that is a host': ['InvalidURI', `GET store.example:80 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a target with a fragment': ['InvalidURI', `GET /${BUCKET}/front#x HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a target with a tab': ['InvalidRequest|InvalidURI', `GET /${BUCKET}/front\tHTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a target that is not ASCII': ['InvalidURI', `GET /${BUCKET}/\xc3\xbc HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a tunnel': ['MethodNotAllowed|InvalidURI', `CONNECT store.example:443 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a method in small letters': ['InvalidRequest', `get /${BUCKET}/front HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a method that is none': ['InvalidRequest', `STEAL /${BUCKET}/front HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a version that is none': ['InvalidRequest', `GET /${BUCKET}/front HTTP/1.9\r\n${HOST}\r\n${HIDDEN}`],
  'HTTP/2 with prior knowledge': ['InvalidRequest', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HIDDEN}`],
  'an unknown expectation': ['InvalidRequest', put('Expect: 100-maybe\r\nContent-Length: 5\r\n', HIDDEN)],
  'two expectations': ['InvalidRequest', put('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n', HIDDEN)],
  'two Authorizations': ['InvalidRequest', get('Authorization: a\r\nAuthorization: b\r\n')],
  'two decoded lengths': [
    'InvalidRequest',
    put('x-amz-decoded-content-length: 1\r\nx-amz-decoded-content-length: 2\r\nContent-Length: 0\r\n', HIDDEN),
  ],
  'one header without end': ['RequestHeaderSectionTooLarge', get(`X-A: ${'a'.repeat(20_000)}\r\n`)],
  'headers without end': ['RequestHeaderSectionTooLarge', get(Array.from({ length: 3000 }, (_, n) => `X-${n}: ${n}\r\n`).join(''))],
  'a path without end': ['RequestHeaderSectionTooLarge', `GET /${BUCKET}/${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
  'a query without end': ['RequestHeaderSectionTooLarge', `GET /${BUCKET}/a?${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`],
};

/** Refusals after which the connection may be used, since the request was read to its end: only what comes after it counts. */
export const HARMLESS: Readonly<Record<string, string>> = {
  'a body of a GET': `GET /${BUCKET}/front HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'a body in chunks of a GET': `GET /${BUCKET}/front HTTP/1.1\r\n${HOST}${CHUNKED}\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
  'a body of a HEAD': `HEAD /${BUCKET}/front HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'a body of a refused PUT': `PUT /nobodys-bucket/front HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'a body of a method that is not allowed': `TRACE /${BUCKET}/front HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'a body of a DELETE': `DELETE /${BUCKET}/front HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'a coding with an underscore in its name': put(`Transfer_Encoding: chunked\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN),
  'an upgrade to HTTP/2': `GET /${BUCKET}/front HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  'chunks with extensions': put(CHUNKED, `${HIDDEN.length.toString(16)};a=b;c="d"\r\n${HIDDEN}\r\n0;e\r\n\r\n`),
  'chunks with a Host in the trailers': put(CHUNKED, `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\nHost: other.example\r\n\r\n`),
};
