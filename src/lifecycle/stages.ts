// Owns what a lifecycle is: its stages, their kinds, the graph of manual moves, and what is permitted by it.
// Does not own the templates that ship with the product (templates.ts) nor when a customer is in which stage
// (policy.ts, decide.ts).

import Type from 'typebox';

export const STAGE_KEY_PATTERN = '^[a-z][a-z0-9_]*$';

/** How a stage is named in what is written of a lifecycle: in itself, in rules and in conditions. */
export const StageKey = Type.String({
  minLength: 1,
  maxLength: 40,
  pattern: STAGE_KEY_PATTERN,
  description: "The key of one of the lifecycle's stages.",
});

export const STAGE_KINDS = ['prospect', 'active', 'declining', 'churned'] as const;
export type StageKind = (typeof STAGE_KINDS)[number];

export const TEMPLATE_KEYS = ['ecommerce', 'banking', 'relationship', 'acquisition', 'engagement'] as const;
export type TemplateKey = (typeof TEMPLATE_KEYS)[number];

export interface StageDefinition {
  key: string;
  labels: { en: string; zh: string };
  /** What events and reports go by, so that they mean the same in every template. */
  kind: StageKind;
}

/** Stages and the graph between them: what a template ships, and what a tenant's copy of it may change. */
export interface Lifecycle {
  /** In the order in which a customer is meant to go through them. */
  stages: StageDefinition[];
  /** The graph that limits manual moves; the rules always go where they say. */
  moves: { from: string; to: string[] }[];
  /** Stages that nobody may be moved into once an order counts. */
  closedOnceOrdered: string[];
}

/**
 * The stages that a person may move a customer to, in the lifecycle's order. The customer's own stage is
 * always among them: such a move changes nothing but sets a hold.
 */
export function permittedMoves(lifecycle: Lifecycle, from: string, hasOrders: boolean): string[] {
  const targets = lifecycle.moves.find((move) => move.from === from)?.to ?? [];
  return lifecycle.stages
    .map((stage) => stage.key)
    .filter((key) => {
      if (key === from) return true;
      return targets.includes(key) && !(hasOrders && lifecycle.closedOnceOrdered.includes(key));
    });
}

/** The kind of a stage; undefined for a key that the lifecycle does not (or no longer) know. */
export function stageKind(lifecycle: Lifecycle, key: string | null): StageKind | undefined {
  return lifecycle.stages.find((stage) => stage.key === key)?.kind;
}
