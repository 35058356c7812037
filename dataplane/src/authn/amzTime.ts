/** The time formats of SigV4: ISO 8601 basic (`20130524T000000Z`), and HTTP dates. */

const BASIC = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;
const HTTP_DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} (GMT|UTC|\+0000)$/;

/** What was read last: requests of one second bear the same time. */
let last: { readonly text: string; readonly time: number | undefined } = { text: '', time: undefined };

/** Milliseconds since the epoch of `yyyyMMdd'T'HHmmss'Z'`; undefined for anything else, such as the 30th of February. */
export function parseBasicTime(text: string): number | undefined {
  if (text !== last.text) last = { text, time: readBasicTime(text) };
  return last.time;
}

function readBasicTime(text: string): number | undefined {
  const match = BASIC.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) || formatBasicTime(time) !== text ? undefined : time;
}

/** `yyyyMMdd'T'HHmmss'Z'` of a time in milliseconds since the epoch. */
export function formatBasicTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** Milliseconds since the epoch of a `Date` header (RFC 9110 §5.6.7, or the basic form); undefined for anything else. */
export function parseDateHeader(text: string): number | undefined {
  const basic = parseBasicTime(text);
  if (basic !== undefined) return basic;
  if (!HTTP_DATE.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
