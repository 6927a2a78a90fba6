// Owns knowing what this process holds: everything between its claim and its record. Does not own what is done
// with it (deliver.ts).

import type { Delivery } from './attempt.js';

export interface Held extends Delivery {
  claimedMs: number;
  /** Whether it finds out if its endpoint is back. */
  isProbe: boolean;
}

export class Holding {
  readonly #held = new Map<string, Held>();
  /** What was let go while a claim was under way, which may still bring it as it was before. */
  readonly #letGo = new Set<string>();
  #claims = 0;
  #idle: (() => void)[] = [];

  /** Called when nothing is held any more. */
  constructor(private readonly onIdle: () => void) {}

  get size(): number {
    return this.#held.size;
  }

  /** Runs a claim, which is told what is held already: that is renewed by it, and not to be taken up again. */
  async claiming<T>(claimedMs: number, claim: (isHeld: (id: string) => boolean) => Promise<T>): Promise<T> {
    this.#claims += 1;
    try {
      return await claim((id) => {
        const held = this.#held.get(id);
        if (held !== undefined) held.claimedMs = claimedMs;
        return held !== undefined || this.#letGo.has(id);
      });
    } finally {
      this.#claims -= 1;
      if (this.#claims === 0) this.#letGo.clear();
      this.#rest();
    }
  }

  hold(delivery: Held): void {
    this.#held.set(delivery.id, delivery);
  }

  release({ id }: Held): void {
    this.#held.delete(id);
    if (this.#claims > 0) this.#letGo.add(id);
    this.#rest();
  }

  /** Resolves once nothing is held or being claimed. */
  async settled(): Promise<void> {
    while (!this.#isIdle) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#held.size === 0 && this.#claims === 0;
  }

  #rest(): void {
    if (!this.#isIdle) return;
    this.onIdle();
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
