// Owns which policy and which calibration are in force at which instant. Compiled once from a tenant's dated
// versions and shared by all of its customers. Does not own what happens at an activation (walk.ts).

import {
  type Calibration,
  calibrationOf,
  DEFAULT_CALIBRATION,
  type GivenCalibration,
} from './calibration.js';
import { type CompiledPolicy, compilePolicy } from './decide.js';
import { DEFAULT_POLICY } from './defaultPolicies.js';
import { lifecycleOf, type Policy } from './policy.js';
import type { Lifecycle } from './stages.js';

/** A tenant's versions, in any order. A version never changes; a new one has the highest number. */
export interface Timeline {
  /** `effectiveFrom` null: from the beginning of time. */
  policies: readonly { version: number; effectiveFrom: number | null; policy: Policy }[];
  calibrations: readonly (GivenCalibration & { effectiveFrom: number })[];
}

/** A stretch of time with one policy and one calibration in force. */
export interface Segment {
  from: number;
  policyVersion: number;
  policy: CompiledPolicy;
  /** For every stage that an earlier version had and this one does not: the one in its place, where one is given. */
  carryOver: ReadonlyMap<string, string>;
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
    timeline.calibrations.map((given) => {
      return { version: given.version, from: given.effectiveFrom, value: calibrationOf(given) };
    }),
    DEFAULT_CALIBRATION,
  );
  const lifecycles = new Map(timeline.policies.map((p) => [p.version, lifecycleOf(p.policy)]));
  const fitted = new Map(timeline.calibrations.map((given) => [given.version, calibrationOf(given)]));
  return {
    segments: join(policies, calibrations, carriedOver(timeline.policies)),
    lifecycleOf: (version) => lifecycles.get(version) ?? lifecycleOf(DEFAULT_POLICY),
    calibrationOf: (version) => fitted.get(version) ?? DEFAULT_CALIBRATION,
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

/**
 * By version, all that it and those before it carry over: a move by hand is to a stage of the lifecycle of its own
 * time, and the version that replaced that one may itself have been replaced, from whatever date on.
 */
function carriedOver(policies: Timeline['policies']): Map<number, ReadonlyMap<string, string>> {
  const byVersion = new Map<number, ReadonlyMap<string, string>>();
  let before: ReadonlyMap<string, string> = new Map();
  for (const { version, policy } of [...policies].sort((a, b) => a.version - b.version)) {
    const own = new Map(Object.entries(policy.carryOver ?? {}));
    const stages = new Set(lifecycleOf(policy).stages.map((stage) => stage.key));
    const earlier = [...before].map(([from, to]): [string, string] => [from, own.get(to) ?? to]);
    before = new Map([...earlier, ...own].filter(([from]) => !stages.has(from)));
    byVersion.set(version, before);
  }
  return byVersion;
}

function join(
  policies: Succession<CompiledPolicy>,
  calibrations: Succession<Calibration>,
  carried: ReadonlyMap<number, ReadonlyMap<string, string>>,
): [Segment, ...Segment[]] {
  const starts = [...new Set([...policies, ...calibrations].map((dated) => dated.from))].sort(byNumber);
  const segmentFrom = (from: number): Segment => {
    const policy = at(policies, from);
    const calibration = at(calibrations, from);
    const reads = calibration.from === from && policy.value.needs.calibration.size > 0;
    return {
      from,
      policyVersion: policy.version,
      policy: policy.value,
      carryOver: carried.get(policy.version) ?? new Map(),
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
