/** What each role of an AccessBinding may do. */
import type { Role } from '@bonded/crds';
import type { Action } from './action.ts';

/**
 * The table of roles. Setting the tags of an object changes what a name says without a new version, as moving a tag does:
 * it is `overwrite`. `attach` is to bring papers, and to see what is held at the door for want of them.
 */
const ACTIONS: Readonly<Record<Role, readonly Action[]>> = {
  Reader: ['read', 'list'],
  Publisher: ['read', 'list', 'create'],
  Maintainer: ['read', 'list', 'create', 'overwrite', 'delete'],
  Signer: ['read', 'list', 'attach'],
  Owner: ['read', 'list', 'create', 'overwrite', 'delete', 'attach', 'administer'],
};

/** True when the role includes the action. */
export function roleAllows(role: Role, action: Action): boolean {
  return ACTIONS[role].includes(action);
}
