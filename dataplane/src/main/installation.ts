/** What every process of an installation goes by, the primary too, which serves nobody and loads little. */
import { readIssuers, type TrustedIssuer } from '../config/issuers.ts';
import type { Settings } from '../config/settings.ts';

/** The storage locations of an installation; the settings say where the first one is. */
export const LOCATION = 'default';
export const LOCATIONS: readonly string[] = [LOCATION];

/** Whose tokens count; without a file nobody's. */
export async function trustedIssuers({ issuersFile }: Settings): Promise<readonly TrustedIssuer[]> {
  return issuersFile === undefined ? [] : readIssuers(issuersFile);
}
