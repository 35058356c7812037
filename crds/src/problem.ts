/** One thing wrong with a value. */
import type { Path } from './yaml.ts';

export interface Problem {
  readonly path: Path;
  /** Quotes nothing of the value, which may be a secret. */
  readonly message: string;
}
