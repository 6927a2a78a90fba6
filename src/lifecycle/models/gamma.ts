// Owns ln Γ and its first two derivatives for positive numbers, by Stirling's series. Does not own who needs
// them: of the models only gamma-gamma, whose arguments are no integers apart.

/** From here on Stirling's series, cut after the terms below, is exact to the last digit or two. */
const LARGE = 12;
const HALF_LN_TAU = 0.9189385332046727;

/** ln Γ(z), z > 0. */
export function logGamma(z: number): number {
  let shifted = z;
  let product = 1;
  while (shifted < LARGE) {
    product *= shifted;
    shifted += 1;
  }
  const t = 1 / (shifted * shifted);
  const series = (1 / 12 - t * (1 / 360 - t * (1 / 1260 - t * (1 / 1680 - t * (1 / 1188))))) / shifted;
  return (shifted - 0.5) * Math.log(shifted) - shifted + HALF_LN_TAU + series - Math.log(product);
}

/** d ln Γ(z)/dz, z > 0. */
export function digamma(z: number): number {
  let shifted = z;
  let sum = 0;
  for (; shifted < LARGE; shifted += 1) sum += 1 / shifted;
  const t = 1 / (shifted * shifted);
  const series = t * (1 / 12 - t * (1 / 120 - t * (1 / 252 - t * (1 / 240 - t * (1 / 132)))));
  return Math.log(shifted) - 0.5 / shifted - series - sum;
}

/** d² ln Γ(z)/dz², z > 0. */
export function trigamma(z: number): number {
  let shifted = z;
  let sum = 0;
  for (; shifted < LARGE; shifted += 1) sum += 1 / (shifted * shifted);
  const t = 1 / (shifted * shifted);
  const series = t * (1 / 6 - t * (1 / 30 - t * (1 / 42 - t * (1 / 30 - t * (5 / 66)))));
  return (1 + series) / shifted + t / 2 + sum;
}
