// Owns how much this process sends at once, in all and of whom, and how much it keeps waiting. Does not own how
// that is kept to (lane.ts, lanes.ts).

export interface LaneLimits {
  /** Sends under way that have not lasted long yet. */
  sendsMax: number;
  /** So many of those places are for endpoints that have shown to be quick. */
  sendsReserved: number;
  /** Sends that have lasted longer than `slowAfterMs` stop counting there, up to this many. */
  slowSendsMax: number;
  slowAfterMs: number;
  sendsPerEndpointMax: number;
  /** The same for an endpoint that has not answered yet. */
  sendsUnansweredMax: number;
  /** Sends under way of one tenant's endpoints, however long they have lasted. */
  sendsPerTenantMax: number;
  /** Deliveries that one endpoint may have waiting in memory. */
  waitingPerEndpointMax: number;
  /** How long a delivery should wait in memory at most: what a slow endpoint cannot take in that time goes back. */
  waitMs: number;
  /** How long what it cannot take is put off at most. */
  putOffMaxMs: number;
}

export const LANE_LIMITS: LaneLimits = {
  sendsMax: 64,
  // Fifty endpoints that hang or are slow can fill all other places at once; two quick ones have what they need.
  sendsReserved: 16,
  // A hanging endpoint holds its sends until their timeout. If those counted for ever, eight such endpoints
  // would stop everybody's deliveries for fifteen seconds.
  slowSendsMax: 192,
  slowAfterMs: 1_000,
  sendsPerEndpointMax: 8,
  // Enough to hear of a quick one at once, and all that a new one that hangs can take from others.
  sendsUnansweredMax: 2,
  // With what has lasted counted: one tenant alone can never fill the 192 places and make the young ones stay.
  sendsPerTenantMax: 128,
  waitingPerEndpointMax: 500,
  waitMs: 1_000,
  putOffMaxMs: 30_000,
};
