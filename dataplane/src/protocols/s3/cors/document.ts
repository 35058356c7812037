/** The CORSConfiguration document: read under S3's rules, and written. */
import type { CorsRule } from '@bonded/crds';
import { ArtefactError } from '../../../errors.ts';
import { allowOnly, malformedXml } from '../xml.ts';
import type { XmlElement, XmlFields } from '../xml.ts';

/** "A configuration can be up to 64 KB." */
export const MAX_CORS_BYTES = 64 * 1024;

const MAX_RULES = 100;
const MAX_ID = 255;
const METHODS: readonly string[] = ['GET', 'PUT', 'HEAD', 'POST', 'DELETE'];
const TOKEN = /^[!#$%&'+.^_`|~0-9A-Za-z-]+$/;
const NO_CONTROLS = /^[^\x00-\x20\x7f]+$/;

/** Throws `MalformedBody` for another shape, `InvalidRequest` for values that S3 refuses. */
export function parseCors(document: XmlElement): readonly CorsRule[] {
  allowOnly(document, ['CORSRule']);
  const rules = document.all('CORSRule');
  if (rules.length < 1 || rules.length > MAX_RULES) throw malformedXml(`A configuration has 1 to ${MAX_RULES} rules.`);
  return rules.map(parseRule);
}

/** Content of `<CORSConfiguration>`. */
export function corsFields(rules: readonly CorsRule[]): XmlFields {
  return {
    CORSRule: rules.map((rule) => ({
      ID: rule.id,
      AllowedMethod: rule.allowedMethods,
      AllowedOrigin: rule.allowedOrigins,
      AllowedHeader: rule.allowedHeaders,
      MaxAgeSeconds: rule.maxAgeSeconds,
      ExposeHeader: rule.exposeHeaders,
    })),
  };
}

function parseRule(rule: XmlElement): CorsRule {
  allowOnly(rule, ['ID', 'AllowedMethod', 'AllowedOrigin', 'AllowedHeader', 'MaxAgeSeconds', 'ExposeHeader']);
  const id = rule.child('ID')?.text;
  if (id !== undefined && id.length > MAX_ID) throw invalid(`A rule's ID must not be longer than ${MAX_ID} characters.`);
  const maxAgeSeconds = parseMaxAge(rule.child('MaxAgeSeconds')?.text);
  const allowedHeaders = textsOf(rule, 'AllowedHeader').map((header) => checkWildcards('AllowedHeader', header));
  const exposeHeaders = textsOf(rule, 'ExposeHeader').map(checkExposed);
  return {
    ...(id === undefined ? {} : { id }),
    allowedMethods: required(rule, 'AllowedMethod').map(checkMethod),
    allowedOrigins: required(rule, 'AllowedOrigin').map((origin) => checkWildcards('AllowedOrigin', origin)),
    ...(allowedHeaders.length > 0 ? { allowedHeaders } : {}),
    ...(exposeHeaders.length > 0 ? { exposeHeaders } : {}),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  };
}

function textsOf(rule: XmlElement, name: string): readonly string[] {
  return rule.all(name).map(({ text }) => text);
}

function required(rule: XmlElement, name: string): readonly string[] {
  const texts = textsOf(rule, name);
  if (texts.length < 1 || texts.length > MAX_RULES) throw malformedXml(`A CORSRule has 1 to ${MAX_RULES} of ${name}.`);
  return texts;
}

function checkMethod(method: string): string {
  if (METHODS.includes(method)) return method;
  throw invalid(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
}

function checkWildcards(what: string, value: string): string {
  if (!NO_CONTROLS.test(value)) throw invalid(`${what} must not be empty or hold white space.`);
  if (value.indexOf('*') === value.lastIndexOf('*')) return value;
  throw invalid(`${what} "${value}" can not have more than one wildcard.`);
}

function checkExposed(header: string): string {
  if (header.includes('*'))
    throw invalid(`ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`);
  if (!TOKEN.test(header)) throw invalid(`ExposeHeader "${header}" is not the name of a header.`);
  return header;
}

function parseMaxAge(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : Infinity;
  if (seconds > 0x7fffffff) throw malformedXml('MaxAgeSeconds must be an integer of 32 bits.');
  return seconds;
}

function invalid(message: string): ArtefactError {
  return new ArtefactError('InvalidRequest', message);
}
