/** Work on many things, some of them at a time. */

/** The results in the order of the items. At most `most` are under way; those of a group wait for one another. */
export async function mapAtOnce<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += most) results.push(...(await Promise.all(items.slice(at, at + most).map(work))));
  return results;
}
