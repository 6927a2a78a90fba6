// Owns what a lifecycle is: its stages, their kinds, the graph of manual moves, and the templates that ship
// with the product. Does not own when a customer is in which stage (policy.ts, decide.ts).

export const STAGE_KINDS = ['prospect', 'active', 'declining', 'churned'] as const;
export type StageKind = (typeof STAGE_KINDS)[number];

export interface StageDefinition {
  key: string;
  labels: { en: string; zh: string };
  /** What events and reports go by, so that they mean the same in every template. */
  kind: StageKind;
}

export interface Lifecycle {
  template: string;
  /** In the order in which a customer is meant to go through them. */
  stages: StageDefinition[];
  /** The graph that limits manual moves; the rules always go where they say. */
  moves: { from: string; to: string[] }[];
  /** Stages that nobody may be moved into once an order counts. */
  closedOnceOrdered: string[];
}

export const TEMPLATE_KEYS = ['ecommerce'] as const;
export type TemplateKey = (typeof TEMPLATE_KEYS)[number];

const ecommerce: Lifecycle = {
  template: 'ecommerce',
  stages: [
    { key: 'prospect', labels: { en: 'Prospect', zh: '潜在客户期' }, kind: 'prospect' },
    { key: 'new', labels: { en: 'New', zh: '新客户期' }, kind: 'active' },
    { key: 'mature', labels: { en: 'Mature', zh: '成熟期' }, kind: 'active' },
    { key: 'declining', labels: { en: 'Declining', zh: '退化期' }, kind: 'declining' },
    { key: 'churned', labels: { en: 'Churned', zh: '流失期' }, kind: 'churned' },
  ],
  moves: [
    { from: 'prospect', to: ['churned'] },
    { from: 'new', to: ['prospect', 'mature', 'declining', 'churned'] },
    { from: 'mature', to: ['prospect', 'new', 'declining', 'churned'] },
    { from: 'declining', to: ['prospect', 'new', 'mature', 'churned'] },
    { from: 'churned', to: ['prospect', 'new', 'mature', 'declining'] },
  ],
  closedOnceOrdered: ['prospect'],
};

export const LIFECYCLE_TEMPLATES: Record<TemplateKey, Lifecycle> = { ecommerce };

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
