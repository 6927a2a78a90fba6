// Owns what a shop knows it has told the service: each entry has been answered, so each must be there, once.
// Does not own the telling (shop.ts) or the comparison with the tables (audit.ts).

export interface BookedOrder {
  /** The customer's external id. */
  customer: string;
  status: 'placed' | 'cancelled';
  amountMinor: number;
  refundedMinor: number;
  version: number;
  /** The types of the events that tell of it, in their order. */
  told: string[];
}

export interface Book {
  /** By external id. */
  orders: Map<string, BookedOrder>;
  /** External ids of customers, with how often their profile was changed. */
  customers: Map<string, { name: string | null; changes: number }>;
  /** By their notes, which are all different. */
  touchpoints: Set<string>;
  /** By their reasons, which are all different; refused ones are not in it. */
  moves: Set<string>;
  policies: number;
  calibrations: number;
}

export function emptyBook(): Book {
  return {
    orders: new Map(),
    customers: new Map(),
    touchpoints: new Set(),
    moves: new Set(),
    // A tenant is opened with its first policy.
    policies: 1,
    calibrations: 0,
  };
}

export function entriesOf({ orders, customers, touchpoints, moves }: Book): number {
  return orders.size + customers.size + touchpoints.size + moves.size;
}
