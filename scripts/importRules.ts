/** The import rules as dependency-cruiser takes them, made of the map of rooms. */
import type { IConfiguration, IForbiddenRuleType } from 'dependency-cruiser';
import { DOOR, EVERY_ROOM, MAY_IMPORT, type Room } from './rooms.ts';

const OURS = '^(crds|dataplane|operator|e2e|bench|scripts)/';
const ROOMS = Object.keys(MAY_IMPORT);

const literally = (path: string) => path.replaceAll('.', '\\.');
const isFile = (room: Room) => room.endsWith('.ts');

/** A pattern for the modules of a room, leaving out the rooms within it. */
function modulesOf(room: Room): string {
  if (room === EVERY_ROOM) return '^(crds|dataplane)/src/';
  if (isFile(room)) return `^${literally(room)}$`;
  const within = ROOMS.filter((other) => other.startsWith(`${room}/`)).map((other) => other.slice(room.length + 1));
  const exceptions = within.map((rest) => (isFile(rest) ? `${literally(rest)}$` : `${rest}/`));
  return exceptions.length === 0 ? `^${room}/` : `^${room}/(?!${exceptions.join('|')})`;
}

function roomRule([room, allowed]: [Room, readonly Room[]]): IForbiddenRuleType {
  return {
    name: `room ${room}`,
    comment: 'A room imports only the rooms that scripts/rooms.ts gives it.',
    severity: 'error',
    from: { path: modulesOf(room) },
    to: { path: OURS, pathNot: [room, ...allowed].map(modulesOf) },
  };
}

const doorHasOneKeeper: IForbiddenRuleType = {
  name: 'door has one keeper',
  comment: 'Only evidence/ makes proof of admission, so no byte leaves without its papers; others may name the type.',
  severity: 'error',
  from: { pathNot: [`^${DOOR.keeper}/`, '^dataplane/test/'] },
  to: { path: `^${literally(DOOR.file)}$`, dependencyTypesNot: ['type-only'] },
};

const noCycles: IForbiddenRuleType = {
  name: 'no cycles',
  comment: 'Two modules that need each other to run are one module, or hide a third. A type may refer back.',
  severity: 'error',
  from: {},
  to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
};

const declaredPackagesOnly: IForbiddenRuleType = {
  name: 'declared packages only',
  comment: 'What is shipped uses the packages that its own package.json lists under dependencies.',
  severity: 'error',
  from: { path: '^(crds|dataplane|operator)/src/' },
  to: { path: 'node_modules', dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional', 'npm-peer'] },
};

const everythingResolves: IForbiddenRuleType = {
  name: 'everything resolves',
  comment: 'An import that leads nowhere would also escape every other rule.',
  severity: 'error',
  from: {},
  to: { couldNotResolve: true },
};

const clientsUseTheWire: IForbiddenRuleType = {
  name: 'clients use the wire',
  comment:
    'End-to-end tests and benchmarks meet the server as its users do; the tests of a storage driver on real servers meet the driver, and so does what fills a store or does without one.',
  severity: 'error',
  from: { path: '^(e2e|bench)/', pathNot: '^(e2e/s3-backend|bench/store)/' },
  to: { path: '^(dataplane|operator)/' },
};

/** dependency-cruiser's configuration; also read by its own command line through .dependency-cruiser.mjs. */
export const importRules = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(roomRule),
    doorHasOneKeeper,
    noCycles,
    declaredPackagesOnly,
    everythingResolves,
    clientsUseTheWire,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(e2e|bench)/out/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
    },
  },
} satisfies IConfiguration;
