// Owns which policy and which calibration are in force at which instant. Compiled once from a tenant's dated
// versions and shared by all of its customers. Does not own what happens at an activation (walk.ts).

import { type Calibration, DEFAULT_CALIBRATION } from './calibration.js';
import { type CompiledPolicy, compilePolicy } from './decide.js';
import type { Cadence } from './models/cadence.js';
import { DEFAULT_POLICY, type Policy, usesCalibration } from './policy.js';
import { LIFECYCLE_TEMPLATES, type Lifecycle } from './stages.js';

/** A tenant's versions, in any order. A version never changes; a new one has the highest number. */
export interface Timeline {
  /** `effectiveFrom` null: from the beginning of time. */
  policies: readonly { version: number; effectiveFrom: number | null; policy: Policy }[];
  calibrations: readonly { version: number; effectiveFrom: number; cadence: Cadence }[];
}

/** A stretch of time with one policy and one calibration in force. */
export interface Segment {
  from: number;
  policyVersion: number;
  policy: CompiledPolicy;
  calibration: Calibration;
  /** Whether another policy comes into force at `from`, or a calibration that the policy in force reads. */
  activates: 'policy' | 'calibration' | null;
  /** Whether days are counted by another time zone than before. */
  recounts: boolean;
  /** The next instant after `from` at which everybody is decided anew; Infinity if there is none. */
  nextActivationAt: number;
}

export interface CompiledTimeline {
  /** In the order of time, the first from −Infinity. */
  readonly segments: readonly [Segment, ...Segment[]];
  /** The lifecycle whose stages a policy version names. */
  lifecycleOf(policyVersion: number): Lifecycle;
  calibrationOf(version: number): Calibration;
}

export function compileTimeline(timeline: Timeline): CompiledTimeline {
  const policies = succession(
    timeline.policies.map(({ version, effectiveFrom, policy }) => {
      return { version, from: effectiveFrom ?? -Infinity, value: compilePolicy(policy) };
    }),
    compilePolicy(DEFAULT_POLICY),
  );
  const calibrations = succession(
    timeline.calibrations.map(({ version, effectiveFrom, cadence }) => {
      return { version, from: effectiveFrom, value: { version, cadence } };
    }),
    DEFAULT_CALIBRATION,
  );
  const lifecycles = new Map(
    timeline.policies.map((p) => [p.version, LIFECYCLE_TEMPLATES[p.policy.template]]),
  );
  const cadences = new Map(
    timeline.calibrations.map(({ version, cadence }) => [version, { version, cadence }]),
  );
  return {
    segments: join(policies, calibrations),
    lifecycleOf: (version) => lifecycles.get(version) ?? LIFECYCLE_TEMPLATES[DEFAULT_POLICY.template],
    calibrationOf: (version) => cadences.get(version) ?? DEFAULT_CALIBRATION,
  };
}

/** The index of the segment in force at an instant. Newer ones are asked for more often, so from the end. */
export function segmentIndexAt({ segments }: CompiledTimeline, at: number): number {
  let index = segments.length - 1;
  while (index > 0 && (segments[index]?.from ?? 0) > at) index -= 1;
  return index;
}

interface Dated<T> {
  version: number;
  from: number;
  value: T;
}

/** In the order of time, the first from −Infinity. */
type Succession<T> = [Dated<T>, ...Dated<T>[]];

/**
 * In force at an instant is the highest version dated at or before it: a later version with an earlier date
 * replaces everything from that date on. What remains is rising in both version and date.
 */
function succession<T>(versions: readonly Dated<T>[], unlessGiven: T): Succession<T> {
  const sorted = [...versions].sort((a, b) => byNumber(a.from, b.from));
  const rising: Dated<T>[] = [];
  for (const dated of sorted) {
    if (dated.version > (rising.at(-1)?.version ?? -Infinity)) rising.push(dated);
  }
  const [first, ...later] = rising;
  if (first?.from === -Infinity) return [first, ...later];
  return [{ version: 0, from: -Infinity, value: unlessGiven }, ...rising];
}

/** Subtraction would make NaN of two infinities. */
function byNumber(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function at<T>(versions: Succession<T>, instant: number): Dated<T> {
  return versions.findLast((dated) => dated.from <= instant) ?? versions[0];
}

function join(
  policies: Succession<CompiledPolicy>,
  calibrations: Succession<Calibration>,
): [Segment, ...Segment[]] {
  const starts = [...new Set([...policies, ...calibrations].map((dated) => dated.from))].sort(byNumber);
  const segmentFrom = (from: number): Segment => {
    const policy = at(policies, from);
    const calibration = at(calibrations, from);
    const reads = calibration.from === from && usesCalibration(policy.value);
    return {
      from,
      policyVersion: policy.version,
      policy: policy.value,
      calibration: calibration.value,
      activates: policy.from === from ? 'policy' : reads ? 'calibration' : null,
      recounts: false,
      nextActivationAt: Infinity,
    };
  };
  const [, ...later] = starts;
  // Nothing is activated by what has been in force since the beginning of time.
  const segments: [Segment, ...Segment[]] = [
    { ...segmentFrom(-Infinity), activates: null },
    ...later.map(segmentFrom),
  ];
  for (let i = segments.length - 1; i > 0; i -= 1) {
    const segment = segments[i];
    const before = segments[i - 1];
    if (segment === undefined || before === undefined) break;
    segment.recounts = segment.policy.timeZone !== before.policy.timeZone;
    before.nextActivationAt = segment.activates === null ? segment.nextActivationAt : segment.from;
  }
  return segments;
}
