// Owns repeatable chance for measurements: every run draws the same.

/** Numbers from 0 to 1 (Park and Miller's generator). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
