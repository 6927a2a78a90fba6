// Owns turns: between tenants, and between the lanes of each. Does not own who may have one (lanes.ts).

/** What has turns. */
export interface Turned {
  tenantId: string;
  endpointId: string;
}

export class Round<L extends Turned> {
  /** Whoever had a turn goes to the end, so the first is the next. */
  readonly #tenants = new Map<string, Map<string, L>>();

  add(lane: L): void {
    const { tenantId, endpointId } = lane;
    const lanes = this.#tenants.get(tenantId);
    if (lanes === undefined) this.#tenants.set(tenantId, new Map([[endpointId, lane]]));
    else lanes.set(endpointId, lane);
  }

  delete({ tenantId, endpointId }: Turned): void {
    const lanes = this.#tenants.get(tenantId);
    if (lanes?.delete(endpointId) && lanes.size === 0) this.#tenants.delete(tenantId);
  }

  /** Tenants in the order of their turns, each with its lanes in theirs. */
  entries(): Iterable<[string, ReadonlyMap<string, L>]> {
    return this.#tenants;
  }

  /** It had its turn, and so had its tenant. */
  turned(lane: L): void {
    const { tenantId, endpointId } = lane;
    const lanes = this.#tenants.get(tenantId);
    if (!lanes?.delete(endpointId)) return;
    lanes.set(endpointId, lane);
    this.#tenants.delete(tenantId);
    this.#tenants.set(tenantId, lanes);
  }

  clear(): void {
    this.#tenants.clear();
  }
}
