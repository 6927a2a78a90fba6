// Owns who claims: one round through the tenants with something due, a few at once, in turns that are fair from one
// round to the next. Does not own the claim itself (claim.ts).

import type { Database } from '../db/database.js';
import { type DueTenant, FIRST_PLACE, tenantsDue } from './queue-store.js';

const CLAIMS_AT_ONCE = 4;

export interface ClaimRoundsDeps {
  database: Database;
  /** Asked before each tenant. */
  mayClaim: () => boolean;
  /** Claims for one tenant, and answers how many deliveries. */
  claim: (tenant: DueTenant, at: Date) => Promise<number>;
}

export class ClaimRounds {
  readonly #turns = new Turns();
  #place = FIRST_PLACE;

  constructor(private readonly deps: ClaimRoundsDeps) {}

  /** Claims what is due at `at` as far as it may, and answers how many deliveries. */
  async run(at: Date): Promise<number> {
    const { database, mayClaim, claim } = this.deps;
    const { tenants, next: place } = await database.find((finder) => tenantsDue(finder, at, this.#place));
    this.#place = place;
    const queue = this.#turns.sort(tenants);
    let claimed = 0;
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (!mayClaim()) return;
        this.#turns.had(next);
        claimed += await claim(next, at);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CLAIMS_AT_ONCE, queue.length) }, work));
    return claimed;
  }
}

const TURNS_MAX = 10_000;

/** Which tenant claims next: whoever waited longest, so that one with a million due crowds out nobody. */
class Turns {
  readonly #last = new Map<string, number>();
  #turn = 0;

  sort(tenants: DueTenant[]): DueTenant[] {
    const turnOf = ({ tenantId }: DueTenant): number => this.#last.get(tenantId) ?? 0;
    return tenants.sort((a, b) => turnOf(a) - turnOf(b));
  }

  had({ tenantId }: DueTenant): void {
    if (this.#last.size >= TURNS_MAX) this.#last.clear();
    this.#last.set(tenantId, ++this.#turn);
  }
}
