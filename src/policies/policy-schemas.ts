// Owns the API shapes of policies: drafts, shadows, versions, and what is asked of them. Does not own the rules'
// own schema, which the core keeps beside its meaning (lifecycle/policy.ts).

import Type, { type Static, type TSchema } from 'typebox';
import { PATTERNS } from '../api/patterns.js';
import { choice, closed, nullable, ref, type Shared, shared } from '../api/schema.js';
import { page, pageQuery, Timestamp, TimestampInput, text, Uuid, Version } from '../api/shapes.js';
import { ConditionSchema } from '../lifecycle/conditions.js';
import { LifecycleSchema, type Policy, PolicySchema } from '../lifecycle/policy.js';
import { TEMPLATE_KEYS } from '../lifecycle/stages.js';
import type { Findings } from './findings.js';
import { PolicyKeySchema, PolicyRefSchema } from './policy-ref.js';
import { Calibration, toApiCalibration } from './schemas.js';
import type { Activation, Live, PolicyRow, PolicyVersionRow } from './service.js';
import { POLICY_STATUSES, STATUS_CHANGES_MAX } from './steps.js';

const NAME_LENGTH_MAX = 200;
/** A policy has at most so many places at which something can be found. */
const FINDINGS_MAX = 1_000;
const POINTER_LENGTH_MAX = 1_000;
const DETAIL_LENGTH_MAX = 4_000;

export const rules = () => Type.Unsafe<Policy>({ $ref: 'Policy#' });
const name = () => nullable(text({ max: NAME_LENGTH_MAX }));
const effectiveFrom = () =>
  nullable(ref(Timestamp), { description: 'Null: from the beginning of time, or never in force.' });

const StatusChange = closed({
  status: choice(POLICY_STATUSES),
  at: ref(Timestamp),
  by: text({ max: 300 }),
});

export const PolicyVersion = shared(
  'PolicyVersion',
  closed(
    {
      id: ref(Uuid),
      name: name(),
      status: choice(POLICY_STATUSES, {
        description:
          '`draft` → `shadow` → `active` → `retired`. A draft can be edited; a shadow decides beside the active ' +
          'one and tells nobody; the active one is retired by its successor.',
      }),
      version: nullable(ref(Version), {
        description: 'Given on activation; null for what has never been in force.',
      }),
      effectiveFrom: effectiveFrom(),
      policy: rules(),
      backfill: Type.Boolean({ description: 'Whether what it changed was kept from webhooks.' }),
      activatedBy: nullable(text({ max: 300 })),
      statusChanges: Type.Array(StatusChange, {
        maxItems: STATUS_CHANGES_MAX,
        description: 'Who did what and when, oldest first.',
      }),
      revision: ref(Version),
      createdAt: ref(Timestamp),
    },
    { description: 'A policy, whatever its status.' },
  ),
);

export const LivePolicy = shared(
  'LivePolicy',
  closed({
    id: ref(Uuid),
    name: name(),
    version: ref(Version),
    effectiveFrom: nullable(ref(Timestamp), { description: 'Null: from the beginning of time.' }),
    policy: rules(),
    backfill: Type.Boolean(),
    activatedBy: nullable(text({ max: 300 })),
    createdAt: ref(Timestamp),
    calibration: nullable(ref(Calibration), { description: 'Null before the first fit.' }),
  }),
);

/** When a policy is to take effect, and who is told. */
export const terms = {
  effectiveFrom: Type.Optional(
    Type.Union([choice(['now', 'beginning']), ref(TimestampInput)], {
      description: '`now` unless it is said; a past instant, or `beginning`, decides the past anew.',
    }),
  ),
  backfill: Type.Optional(
    Type.Boolean({ default: false, description: 'No webhook goes out for what it changes.' }),
  ),
};

export const PolicyActivation = shared('PolicyActivation', closed({ policy: rules(), ...terms }));
export const DraftActivation = shared('DraftActivation', closed(terms));

export const PolicyInput = shared(
  'PolicyInput',
  closed(
    {
      name: Type.Optional(name()),
      policy: Type.Optional(rules()),
      fromTemplate: Type.Optional(
        choice(TEMPLATE_KEYS, { description: 'Begins with the policy of this lifecycle template.' }),
      ),
    },
    { description: 'A new draft: from rules, or from a template. One of the two is given.' },
  ),
);

const { carryOver, ...properties } = PolicySchema.properties;
const required: readonly string[] = PolicySchema.required;

/** The members of a policy, each of which may be left out; those that it may do without may be null. */
const members: Record<string, TSchema> = Object.fromEntries(
  Object.entries<TSchema>(properties).map(([key, schema]) => [
    key,
    Type.Optional(required.includes(key) ? schema : nullable(schema)),
  ]),
);

/** Stage by stage: null takes one out of the mapping. */
const carryOverPatch = {
  ...carryOver,
  patternProperties: Object.fromEntries(
    Object.entries<TSchema>(carryOver.patternProperties).map(([key, schema]) => [key, nullable(schema)]),
  ),
};

export const PolicyPatch = shared(
  'PolicyPatch',
  closed({
    name: Type.Optional(name()),
    policy: Type.Optional(
      Type.Unsafe<Record<string, unknown>>(
        closed(
          { ...members, carryOver: Type.Optional(nullable(carryOverPatch)) },
          { description: 'A merge patch of the rules: lists are replaced as a whole.' },
        ),
      ),
    ),
  }),
);

const finding = {
  pointer: Type.String({
    pattern: PATTERNS.anyText,
    maxLength: POINTER_LENGTH_MAX,
    description: 'RFC 6901, into the policy resource.',
  }),
  detail: text({ max: DETAIL_LENGTH_MAX }),
};

export const PolicyFindings = shared(
  'PolicyFindings',
  closed({
    valid: Type.Boolean({
      description: 'Whether it could be activated, or may stay in force: there are no faults.',
    }),
    faults: Type.Array(closed(finding), {
      maxItems: FINDINGS_MAX,
      description: 'Contradictions, dead rules, stages that the lifecycle does not have.',
    }),
    warnings: Type.Array(closed(finding), {
      maxItems: FINDINGS_MAX,
      description: 'What is likely not meant, and does not keep it from being activated.',
    }),
  }),
);

export const PolicyPage = shared('PolicyPage', page(ref(PolicyVersion)));

export const policyPath = closed({ id: ref(PolicyRefSchema) });
export const policyKeyPath = closed({ id: ref(PolicyKeySchema) });
export const policyQuery = closed({ status: Type.Optional(choice(POLICY_STATUSES)), ...pageQuery });

export const POLICY_SCHEMAS: Shared[] = [
  ConditionSchema as unknown as Shared,
  LifecycleSchema as unknown as Shared,
  PolicySchema as unknown as Shared,
  PolicyRefSchema,
  PolicyKeySchema,
  PolicyVersion,
  LivePolicy,
  PolicyActivation,
  DraftActivation,
  PolicyInput,
  PolicyPatch,
  PolicyFindings,
  PolicyPage,
];

type Terms = Static<typeof DraftActivation>;

export function fromApiTerms({ effectiveFrom: from = 'now', backfill = false }: Terms, now: Date) {
  const instant = from === 'now' ? now : from === 'beginning' ? null : new Date(from);
  return { effectiveFrom: instant, backfill };
}

export function fromApiActivation(
  { policy, ...asked }: Static<typeof PolicyActivation>,
  expected: number | null | undefined,
  now: Date,
): Activation {
  return { policy, expected, ...fromApiTerms(asked, now) };
}

export function toApiPolicy(row: PolicyRow): Static<typeof PolicyVersion> {
  return {
    ...row,
    effectiveFrom: row.effectiveFrom?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}

export function toApiLive({ row, calibration }: Live): Static<typeof LivePolicy> {
  const { id, name: called, version, policy, backfill, activatedBy }: PolicyVersionRow = row;
  return {
    ...{ id, name: called, version, policy, backfill, activatedBy },
    effectiveFrom: row.effectiveFrom?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    calibration: calibration === undefined ? null : toApiCalibration(calibration),
  };
}

export function toApiFindings({ faults, warnings }: Findings): Static<typeof PolicyFindings> {
  return {
    valid: faults.length === 0,
    faults: faults.slice(0, FINDINGS_MAX),
    warnings: warnings.slice(0, FINDINGS_MAX),
  };
}
