// Owns the linear algebra of a handful of unknowns: solving with a symmetric matrix that is positive definite.

/** The lower triangle L of L·Lᵀ, row by row. */
export interface Factor {
  n: number;
  lower: number[];
}

/** A pivot below this share of its diagonal is what rounding leaves of a zero. */
const PIVOT_MIN = 1e-13;

/** Null where the matrix, n by n and row by row, is not positive definite. */
export function choleskyOf(matrix: readonly number[], n: number): Factor | null {
  const lower = Array.from({ length: n * n }, () => 0);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = matrix[i * n + j] ?? 0;
      for (let k = 0; k < j; k += 1) sum -= (lower[i * n + k] ?? 0) * (lower[j * n + k] ?? 0);
      if (i !== j) lower[i * n + j] = sum / (lower[j * n + j] ?? 0);
      else if (!(sum > PIVOT_MIN * Math.abs(matrix[i * n + i] ?? 0)) || sum === Infinity) return null;
      else lower[i * n + i] = Math.sqrt(sum);
    }
  }
  return { n, lower };
}

export function solve({ n, lower }: Factor, right: readonly number[]): number[] {
  const x = [...right];
  for (let i = 0; i < n; i += 1) {
    for (let k = 0; k < i; k += 1) x[i] = (x[i] ?? 0) - (lower[i * n + k] ?? 0) * (x[k] ?? 0);
    x[i] = (x[i] ?? 0) / (lower[i * n + i] ?? 0);
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < n; k += 1) x[i] = (x[i] ?? 0) - (lower[k * n + i] ?? 0) * (x[k] ?? 0);
    x[i] = (x[i] ?? 0) / (lower[i * n + i] ?? 0);
  }
  return x;
}

export function inverseDiagonal(factor: Factor): number[] {
  return Array.from({ length: factor.n }, (_, i) => {
    const unit = Array.from({ length: factor.n }, (_, k) => (k === i ? 1 : 0));
    return solve(factor, unit)[i] ?? Number.NaN;
  });
}
