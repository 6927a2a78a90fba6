// Owns chance that can be had again: a run that failed is repeated by the seed that it printed.

import { randomBytes } from 'node:crypto';

/** Anew each time, unless the environment has the seed of a run that is to be repeated. */
export function drawChance(t: { comment(text: string): void }): Chance {
  const seed = process.env.CHANCE_SEED ?? String(randomBytes(4).readInt32LE());
  t.comment(`CHANCE_SEED=${seed}`);
  return new Chance(Number(seed));
}

export class Chance {
  constructor(private seed: number) {}

  /** Uniform in [0, 1): mulberry32, whose whole state is one number. */
  next(): number {
    this.seed = (this.seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.seed ^ (this.seed >>> 15), this.seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** True in so many of a hundred cases. */
  percent(share: number): boolean {
    return this.next() * 100 < share;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new Error('there is nothing to pick from');
    return picked;
  }

  /** Another chance that this one decides, so that what one party draws does not shift what another does. */
  fork(): Chance {
    return new Chance(this.below(2 ** 31));
  }
}
