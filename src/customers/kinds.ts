// Owns the words that customers are described by, for tables, shapes and other modules alike.

export const CUSTOMER_KINDS = ['person', 'company'] as const;
export type CustomerKind = (typeof CUSTOMER_KINDS)[number];

/** What is told of a customer, wherever it stands: in rows, in snapshots and in what goes out. */
export interface CustomerDetails {
  id: string;
  kind: CustomerKind;
  name: string | null;
  email: string | null;
  phone: string | null;
  country: string | null;
  channel: string | null;
  owner: string | null;
  /** Distinct and in order. */
  tags: string[];
  attributes: Record<string, unknown>;
}

/** An id that another system gave. */
export interface ExternalId {
  namespace: string;
  id: string;
}
