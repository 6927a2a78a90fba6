// Owns the measures of how well scores told who would: AUC and the Brier score. Does not own whose scores
// they are.

/**
 * The area under the ROC curve: how often, of one for whom it happened and one for whom it did not, the first
 * has the higher score; equal scores count half. NaN scores count as the lowest. Null where one kind is missing.
 */
export function auc(scores: ArrayLike<number>, outcomes: ArrayLike<boolean>): number | null {
  const order = Array.from({ length: scores.length }, (_, i) => i);
  const score = (i: number) => {
    const value = scores[i] ?? Number.NaN;
    return Number.isNaN(value) ? -Infinity : value;
  };
  // Compared, not subtracted: two infinities would give no number.
  order.sort((i, j) => (score(i) < score(j) ? -1 : score(i) > score(j) ? 1 : 0));
  let wins = 0;
  let positives = 0;
  let negatives = 0;
  for (let start = 0; start < order.length; ) {
    const value = score(order[start] ?? 0);
    let tiedPositives = 0;
    let end = start;
    for (; end < order.length && score(order[end] ?? 0) === value; end += 1) {
      if (outcomes[order[end] ?? 0]) tiedPositives += 1;
    }
    const tiedNegatives = end - start - tiedPositives;
    wins += tiedPositives * (negatives + tiedNegatives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    start = end;
  }
  return positives === 0 || negatives === 0 ? null : wins / (positives * negatives);
}

/** The mean squared distance of probabilities from what happened, 0 or 1: lower is better. Null of nobody. */
export function brier(probabilities: ArrayLike<number>, outcomes: ArrayLike<boolean>): number | null {
  if (probabilities.length === 0) return null;
  let total = 0;
  for (let i = 0; i < probabilities.length; i += 1) {
    const error = (probabilities[i] ?? 0) - (outcomes[i] ? 1 : 0);
    total += error * error;
  }
  return total / probabilities.length;
}
