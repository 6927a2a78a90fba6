// Owns the words that customers are described by, for tables, shapes and other modules alike.

export const CUSTOMER_KINDS = ['person', 'company'] as const;
export type CustomerKind = (typeof CUSTOMER_KINDS)[number];

/** An id that another system gave. */
export interface ExternalId {
  namespace: string;
  id: string;
}
