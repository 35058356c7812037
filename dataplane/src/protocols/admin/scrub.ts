/**
 * `GET | POST /api/v1/scrub` (how far it is; another pass), `GET /api/v1/scrub/findings` (what is wrong) and
 * `POST /api/v1/digests/{digest}/scrub` (one digest, now).
 */
import type { Digest } from '../../core/digest.ts';
import { parseDigest } from '../../core/digest.ts';
import type { Examination, Fault, Finding, LocationScrub } from '../../core/scrub/contract.ts';
import { ArtefactError } from '../../errors.ts';
import { makeCursor, readCursor } from './cursor.ts';
import { INSTALLATION } from './demands.ts';
import { digits, withDefault } from './fields.ts';
import { json, readJson } from './json.ts';
import { cursor, digest } from './parameters.ts';
import { row } from './row.ts';

type Nothing = Readonly<Record<never, never>>;

export const scrubState = row<Nothing>({
  name: 'admin.GetScrub',
  method: 'GET',
  path: '/api/v1/scrub',
  fields: {},
  demands: () => [INSTALLATION],
  async handle(_call, core) {
    return json(200, { locations: (await core.scrub.state()).map(locationView) });
  },
});

export const startPass = row<Nothing>({
  name: 'admin.StartScrub',
  method: 'POST',
  path: '/api/v1/scrub',
  fields: {},
  demands: () => [INSTALLATION],
  async handle(call, core) {
    await readJson(call, {});
    await core.scrub.request();
    return json(202, { locations: (await core.scrub.state()).map(locationView) });
  },
});

interface FindingsParams {
  readonly limit: number;
  readonly cursor?: string;
}

export const listFindings = row<FindingsParams>({
  name: 'admin.ListFindings',
  method: 'GET',
  path: '/api/v1/scrub/findings',
  fields: { limit: withDefault(100, digits(1, 1000)), cursor },
  demands: () => [INSTALLATION],
  async handle({ params }, core) {
    const after = params.cursor === undefined ? undefined : placeOf(readCursor(QUESTION, params.cursor, 2));
    const { findings, next } = await core.scrub.findings({ after, limit: params.limit });
    return json(200, {
      findings: findings.map(findingView),
      ...(next && { next: makeCursor(QUESTION, [next.location, next.digest]) }),
    });
  },
});

export const scrubDigest = row<{ readonly digest: Digest }>({
  name: 'admin.ScrubDigest',
  method: 'POST',
  path: '/api/v1/digests/{digest}/scrub',
  fields: { digest },
  demands: () => [INSTALLATION],
  async handle(call, core) {
    await readJson(call, {});
    const examinations = await core.scrub.examine(call.params.digest, call.actor, call.signal);
    if (examinations.length === 0) throw new ArtefactError('DigestUnknown', 'No bytes with this digest are kept.');
    return json(200, { digest: call.params.digest, locations: examinations.map(examinationView) });
  },
});

/** All pages of findings answer the same question. */
const QUESTION = 'findings';

function placeOf([location = '', last = '']: readonly string[]): { readonly location: string; readonly digest: Digest } {
  return { location, digest: parseDigest(last) };
}

function locationView({ location, budget, pass, last, next, quarantined }: LocationScrub): unknown {
  const { period, ...rates } = budget;
  return {
    location,
    budget: { ...rates, periodSeconds: period / 1000 },
    ...(pass && { pass: { ...pass, started: time(pass.started) } }),
    ...(last && { last: { ...last, started: time(last.started), finished: time(last.finished) } }),
    ...(next !== undefined && { next: time(next) }),
    quarantined,
  };
}

function findingView({ digest: about, location, size, since, seen, quarantined, ...fault }: Finding): unknown {
  return { digest: about, location, size, quarantined, ...faultView(fault), since: time(since), seen: time(seen) };
}

function examinationView({ location, outcome, fault }: Examination): unknown {
  return { location, outcome, ...(fault && faultView(fault)) };
}

function faultView({ kind, detail, where }: Fault): Fault {
  return { kind, detail, where };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
