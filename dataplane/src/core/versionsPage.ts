/** A page of versions being filled. */
import type { ListVersionsPage, Version } from './object.ts';

type Listed = Version & { readonly isLatest: boolean };

/** Collects up to `limit` items, and knows whether something came after them. */
export class VersionsPage {
  readonly #limit: number;
  readonly #versions: Listed[] = [];
  readonly #prefixes: string[] = [];
  #last: { readonly key: string; readonly versionId?: string } | undefined;
  #more = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  room(): number {
    return this.#limit - this.#versions.length - this.#prefixes.length;
  }

  /** True once it is known that there is more than fits. */
  full(): boolean {
    return this.#more;
  }

  add(version: Listed): void {
    if (this.room() === 0) this.#more = true;
    if (this.#more) return;
    this.#versions.push(version);
    this.#last = { key: version.key, versionId: version.versionId };
  }

  addPrefix(prefix: string): void {
    if (this.room() === 0) this.#more = true;
    if (this.#more) return;
    this.#prefixes.push(prefix);
    this.#last = { key: prefix };
  }

  result(): ListVersionsPage {
    return { versions: this.#versions, prefixes: this.#prefixes, ...(this.#more && this.#last !== undefined ? { next: this.#last } : {}) };
  }
}
