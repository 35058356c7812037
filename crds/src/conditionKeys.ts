/** The condition keys that a policy document may name: all of them are facts that Bonded really has about a request. */

/** What the values of a key are; it decides which operators make sense. */
export type KeyValues = 'text' | 'number' | 'date' | 'epoch' | 'boolean' | 'address' | 'any';

export interface ConditionKey {
  readonly values: KeyValues;
  /** A request may have several values for it. */
  readonly many: boolean;
  /** Lower-cased actions whose requests can have it; undefined: all. */
  readonly actions?: readonly string[];
}

const LISTINGS = ['s3:listbucket', 's3:listbucketversions', 's3:listbucketmultipartuploads'];
const WRITES = ['s3:putobject'];
const TAGGED = ['s3:putobject', 's3:putobjecttagging', 's3:putobjectversiontagging'];
const VERSIONED = [
  's3:getobjectversion',
  's3:getobjectversionacl',
  's3:getobjectversionattributes',
  's3:getobjectversiontagging',
  's3:deleteobjectversion',
  's3:deleteobjectversiontagging',
  's3:putobjectversionacl',
  's3:putobjectversiontagging',
];
const ACLS = ['s3:putobject', 's3:putobjectacl', 's3:putobjectversionacl', 's3:createbucket', 's3:putbucketacl'];

const text = (actions?: readonly string[]): ConditionKey => ({ values: 'text', many: false, ...(actions && { actions }) });

const KEYS: ReadonlyMap<string, ConditionKey> = new Map<string, ConditionKey>([
  ['aws:sourceip', { values: 'address', many: false }],
  ['aws:securetransport', { values: 'boolean', many: false }],
  ['aws:currenttime', { values: 'date', many: false }],
  ['aws:epochtime', { values: 'epoch', many: false }],
  ['aws:useragent', text()],
  ['aws:referer', text()],
  ['aws:username', text()],
  ['aws:userid', text()],
  ['aws:principaltype', text()],
  ['s3:authtype', text()],
  ['s3:signatureversion', text()],
  ['s3:signatureage', { values: 'number', many: false }],
  ['s3:x-amz-content-sha256', text()],
  ['s3:prefix', text(LISTINGS)],
  ['s3:delimiter', text(LISTINGS)],
  ['s3:max-keys', { values: 'number', many: false, actions: LISTINGS }],
  ['s3:versionid', text(VERSIONED)],
  ['s3:x-amz-acl', text(ACLS)],
  ['s3:x-amz-copy-source', text(WRITES)],
  ['s3:x-amz-metadata-directive', text(WRITES)],
  ['s3:x-amz-storage-class', text(WRITES)],
  ['s3:if-match', text(['s3:putobject', 's3:deleteobject'])],
  ['s3:if-none-match', text(WRITES)],
  ['s3:requestobjecttagkeys', { values: 'text', many: true, actions: TAGGED }],
]);

/** Keys with a name of the user's choice after the slash. */
const FAMILIES: readonly (readonly [prefix: string, key: ConditionKey])[] = [
  ['s3:requestobjecttag/', { values: 'any', many: false, actions: TAGGED }],
  ['bonded:claim/', { values: 'any', many: true }],
];

/** What is known of a condition key; undefined for an unknown one. Case does not matter. */
export function conditionKey(name: string): ConditionKey | undefined {
  const lower = name.toLowerCase();
  const family = FAMILIES.find(([prefix]) => lower.startsWith(prefix) && lower.length > prefix.length);
  return KEYS.get(lower) ?? family?.[1];
}
