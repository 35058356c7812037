/**
 * The rooms of the house and which of them each may import. Everything that is not listed is forbidden; the import check
 * (`make check-imports`) is made of this map.
 */

/** A room is a file or a folder, by its path from the root. The longest that fits a module is its room. */
export type Room = string;

/** For the one room that builds the house of all others. */
export const EVERY_ROOM: Room = '*';

const ERRORS = 'dataplane/src/errors.ts';
const FRESHNESS = 'dataplane/src/freshness.ts';
const SLICES = 'dataplane/src/slices.ts';
const QUIET = 'dataplane/src/quiet.ts';
const TELEMETRY = 'dataplane/src/telemetry';
const CONFIG = 'dataplane/src/config';
const STORAGE = 'dataplane/src/storage';
const STORAGE_CONTRACT = 'dataplane/src/storage/contract.ts';
const LENT = 'dataplane/src/storage/lent.ts';
const CORE = 'dataplane/src/core';
const EVIDENCE = 'dataplane/src/evidence';
const AUTHZ = 'dataplane/src/authz';
const AUTHN = 'dataplane/src/authn';
const PRINCIPAL = 'dataplane/src/authn/principal.ts';
/** What protocols share: the contract, and helps that belong to none of them. */
const PROTOCOLS = 'dataplane/src/protocols';
const HTTP = 'dataplane/src/http';
const CRDS = 'crds/src';

/** What any room may import. */
const LEAVES: readonly Room[] = [ERRORS, TELEMETRY, SLICES];
/** What keeps something of a SQLite database in memory. */
const WITH_SQLITE: readonly Room[] = [FRESHNESS];
/** A storage driver knows the contracts, what all drivers share, and its own files. */
const OF_A_DRIVER: readonly Room[] = [...LEAVES, STORAGE_CONTRACT, LENT, STORAGE];
/** A protocol describes operations over everything below, and never sees another protocol. */
const OF_A_PROTOCOL: readonly Room[] = [...LEAVES, PROTOCOLS, AUTHN, PRINCIPAL, AUTHZ, EVIDENCE, CORE, STORAGE_CONTRACT, CONFIG, CRDS];

/** Each room with the rooms it may import besides itself, innermost first. */
export const MAY_IMPORT: Readonly<Record<Room, readonly Room[]>> = {
  [CRDS]: [],
  [ERRORS]: [],
  [FRESHNESS]: [],
  [SLICES]: [],
  [QUIET]: [],
  [TELEMETRY]: [ERRORS],
  [CONFIG]: [...LEAVES, ...WITH_SQLITE, CRDS],
  [STORAGE_CONTRACT]: [ERRORS],
  [LENT]: [],
  [STORAGE]: [...LEAVES, STORAGE_CONTRACT, CONFIG],
  'dataplane/src/storage/local': [...OF_A_DRIVER, ...WITH_SQLITE, QUIET],
  'dataplane/src/storage/memory': OF_A_DRIVER,
  'dataplane/src/storage/s3': OF_A_DRIVER,
  [CORE]: [...LEAVES, STORAGE_CONTRACT, STORAGE, CONFIG, CRDS],
  [EVIDENCE]: [...LEAVES, CORE, STORAGE_CONTRACT, CONFIG, CRDS],
  // The one type that every room above it speaks of: who is asking.
  [PRINCIPAL]: [],
  [AUTHZ]: [...LEAVES, PRINCIPAL, EVIDENCE, CORE, CONFIG, CRDS],
  [AUTHN]: [...LEAVES, PRINCIPAL, AUTHZ, EVIDENCE, CORE, STORAGE_CONTRACT, CONFIG, CRDS],
  [PROTOCOLS]: [...LEAVES, PRINCIPAL, AUTHZ, CORE, STORAGE_CONTRACT, CRDS],
  'dataplane/src/protocols/s3': OF_A_PROTOCOL,
  'dataplane/src/protocols/admin': OF_A_PROTOCOL,
  'dataplane/src/protocols/sts': OF_A_PROTOCOL,
  'dataplane/src/protocols/uploads': OF_A_PROTOCOL,
  'dataplane/src/protocols/oci': OF_A_PROTOCOL,
  [HTTP]: [...OF_A_PROTOCOL, LENT],
  // Builds the house: the only room that knows all others.
  'dataplane/src/main': [EVERY_ROOM],
  'dataplane/src/main.ts': [EVERY_ROOM],
};

/** The one file that makes proof of admission, and the only room that may do so. */
export const DOOR = { file: 'dataplane/src/core/door.ts', keeper: EVIDENCE } as const;

/** The room of a module by its path from the root, or undefined when no room has it. */
export function roomOf(path: string): Room | undefined {
  const fits = Object.keys(MAY_IMPORT).filter((room) => path === room || path.startsWith(`${room}/`));
  return fits.toSorted((a, b) => b.length - a.length)[0];
}
