// Owns the words for how far a shadow is. Holds no behaviour.

/** `removed`: nothing of it is shown any more, and its rows are being taken away. */
export const SHADOW_STATUSES = ['running', 'stopped', 'removed'] as const;
export type ShadowStatus = (typeof SHADOW_STATUSES)[number];

/** `opening`: writes that do not know of the shadow may still be under way. `clearing`: what a stop has left. */
export const SHADOW_FILLS = ['opening', 'filling', 'filled', 'clearing'] as const;
export type ShadowFill = (typeof SHADOW_FILLS)[number];

/** What is counted: customers by both stages, and the transitions of either ledger from `since` on. */
export const COUNT_KINDS = ['standing', 'live', 'shadow'] as const;
export type CountKind = (typeof COUNT_KINDS)[number];
