// Owns the counting of scores by what became of the customers: a table of fixed size, whatever their number, from
// which AUC and deciles are read. Does not own the scores.

/**
 * Scores are counted in so many steps, a pair of counts each. An AUC differs from that of the unrounded scores by
 * less than half the share of pairs that fall into one step.
 */
export const STEPS_WHOLE = 10_000;
/** Of which there may be many. */
export const STEPS_SEGMENT = 500;

/** At 2i and 2i + 1: of those in step i, how many did not order in the horizon, and how many did. */
export type ScoreCounts = Uint32Array;

export function emptyScores(steps: number): ScoreCounts {
  return new Uint32Array(2 * steps);
}

/** `share`: from 0 to 1, the higher, the likelier that the customer has stopped. */
export function countScore(counts: ScoreCounts, share: number, hasStopped: boolean): void {
  const steps = counts.length / 2;
  const step = Math.min(Math.max(Math.floor(share * steps), 0), steps - 1);
  const place = 2 * step + (hasStopped ? 0 : 1);
  counts[place] = (counts[place] ?? 0) + 1;
}

/** A ratio without an upper bound as a share: 1, where a flag is raised, becomes one half. */
export function shareOf(ratio: number): number {
  return ratio / (1 + ratio);
}

export function ratioOf(share: number): number {
  return share / (1 - share);
}

/** How often, of one who stopped and one who did not, the first has the higher score; of equal ones, half. */
export function aucOf(counts: ScoreCounts): number | null {
  let wins = 0;
  let stopped = 0;
  let others = 0;
  for (let place = 0; place < counts.length; place += 2) {
    const ofStopped = counts[place] ?? 0;
    const ofOthers = counts[place + 1] ?? 0;
    wins += ofStopped * (others + ofOthers / 2);
    stopped += ofStopped;
    others += ofOthers;
  }
  return stopped === 0 || others === 0 ? null : wins / (stopped * others);
}

export interface RocPoint {
  /** Of those who ordered, the share that is flagged from this score on. */
  falsePositiveRate: number;
  truePositiveRate: number;
}

/** From (0, 0) to (1, 1), at most `points` steps between. */
export function rocOf(counts: ScoreCounts, points: number): RocPoint[] {
  let stopped = 0;
  let others = 0;
  for (let place = 0; place < counts.length; place += 2) {
    stopped += counts[place] ?? 0;
    others += counts[place + 1] ?? 0;
  }
  if (stopped === 0 || others === 0) return [];
  const roc: RocPoint[] = [{ falsePositiveRate: 0, truePositiveRate: 0 }];
  let tp = 0;
  let fp = 0;
  for (let place = counts.length - 2; place >= 0; place -= 2) {
    tp += counts[place] ?? 0;
    fp += counts[place + 1] ?? 0;
    const last = roc.at(-1);
    const moved = tp / stopped + fp / others - (last?.truePositiveRate ?? 0) - (last?.falsePositiveRate ?? 0);
    if (moved >= 2 / points) roc.push({ falsePositiveRate: fp / others, truePositiveRate: tp / stopped });
  }
  roc.push({ falsePositiveRate: 1, truePositiveRate: 1 });
  return roc;
}

export interface Decile {
  /** The scores of the group, as shares. */
  from: number;
  to: number;
  customers: number;
  /** The mean of the shares. */
  mean: number;
  stopped: number;
}

const GROUPS = 10;

/**
 * Ten groups of about as many customers each, by rising scores. One that cannot be parted, since all have the same
 * score, may be larger: those that remain share what remains. Fewer where few scores occur.
 */
export function decilesOf(counts: ScoreCounts): Decile[] {
  const steps = counts.length / 2;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const deciles: Decile[] = [];
  let left = total;
  let group: (Decile & { sum: number }) | undefined;
  for (let step = 0; step < steps; step += 1) {
    const stopped = counts[2 * step] ?? 0;
    const customers = stopped + (counts[2 * step + 1] ?? 0);
    if (customers === 0) continue;
    group ??= { from: step / steps, to: 0, customers: 0, mean: 0, stopped: 0, sum: 0 };
    group.customers += customers;
    group.stopped += stopped;
    group.sum += (customers * (step + 0.5)) / steps;
    group.to = (step + 1) / steps;
    if (group.customers * (GROUPS - deciles.length) < left) continue;
    left -= group.customers;
    const { sum, ...decile } = group;
    deciles.push({ ...decile, mean: sum / group.customers });
    group = undefined;
  }
  return deciles;
}
