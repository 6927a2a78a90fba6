// Owns what conditions say of a customer in terms that can be compared without one: claims about quantities,
// and when one claim follows from another or excludes it. Does not own which condition says what (leaves/), nor
// what follows from several of them together (implication.ts).

/**
 * That a quantity has, within a window, a value of a certain kind: a number from `min` to `max`, one `among`
 * some, or any at all where none of these is given. The limits of numbers belong to them.
 */
export interface Claim {
  /** The quantity. Claims about different ones say nothing of each other. */
  about: string;
  /**
   * What is claimed for one window is so for every wider one; the widest where it is not given. A `max` may thus
   * only be claimed of what is the same in every window that has it.
   */
  window?: number;
  min?: number;
  max?: number;
  among?: ReadonlySet<unknown>;
  /** Whether it says, too, that there is no other value of the quantity at once. */
  isSingle?: boolean;
  /** How far apart the lower ends must be for the narrower to imply the wider, where a computation is between. */
  blur?: number;
}

/** A claim, or the denial of one. */
export interface Literal {
  claim: Claim;
  isDenied: boolean;
}

/** What a plain condition comes to. */
export interface Meaning {
  /** It holds where all of these do, and nowhere else. */
  says: readonly [Literal, ...Literal[]];
  /** What is so besides where it holds, and may be so where it does not. */
  hence?: readonly Claim[];
}

export function claimed(claim: Claim): Literal {
  return { claim, isDenied: false };
}

export function denied(claim: Claim): Literal {
  return { claim, isDenied: true };
}

/** How many more comparisons may be made before the answer to a question is "not seen". */
export interface Effort {
  comparisonsLeft: number;
}

/** Whether a literal cannot be true where all of `known` are, which may all be true together. */
export function contradicts(literal: Literal, known: readonly Literal[], effort: Effort): boolean {
  effort.comparisonsLeft -= known.length;
  if (effort.comparisonsLeft < 0) return false;
  const together = [literal];
  for (const other of known) {
    if (other.claim.about !== literal.claim.about) continue;
    if (clash(literal, other)) return true;
    together.push(other);
  }
  return together.some((one) => isLeftNothing(one, together, effort));
}

/** Whether every one of the values that a claim leaves open is shut out by something else that is known. */
function isLeftNothing({ claim, isDenied }: Literal, known: readonly Literal[], effort: Effort): boolean {
  if (isDenied || claim.among === undefined || claim.among.size < 2) return false;
  for (const value of claim.among) {
    effort.comparisonsLeft -= known.length;
    if (effort.comparisonsLeft < 0) return false;
    const only = claimed({ ...claim, among: new Set([value]) });
    if (!known.some((other) => clash(only, other))) return false;
  }
  return true;
}

/** Whether two literals about the same cannot both be true. */
function clash(a: Literal, b: Literal): boolean {
  if (a.isDenied) return !b.isDenied && follows(b.claim, a.claim);
  return b.isDenied ? follows(a.claim, b.claim) : excludes(a.claim, b.claim);
}

/** Whether `b`, about the same, is true wherever `a` is. */
function follows(a: Claim, b: Claim): boolean {
  if ((a.window ?? Infinity) > (b.window ?? Infinity)) return false;
  if (b.isSingle === true && a.isSingle !== true) return false;
  const blur = Math.max(a.blur ?? 0, b.blur ?? 0);
  if (blur > 0 && (a.min !== b.min || a.window !== b.window)) return (a.min ?? 0) - (b.min ?? 0) >= blur;
  return isWithin(a, b);
}

function isWithin(a: Claim, b: Claim): boolean {
  if (isAnything(b)) return true;
  if (a.among !== undefined) return [...a.among].every((value) => includes(b, value));
  if (isAnything(a) || b.among !== undefined) return false;
  return minOf(a) >= minOf(b) && maxOf(a) <= maxOf(b);
}

/** Where there may be several values at once, each claim can be true by another one of them. */
function excludes(a: Claim, b: Claim): boolean {
  if ((a.isSingle !== true && b.isSingle !== true) || isAnything(a) || isAnything(b)) return false;
  if (a.among !== undefined) return ![...a.among].some((value) => includes(b, value));
  if (b.among !== undefined) return excludes(b, a);
  return minOf(a) > maxOf(b) || minOf(b) > maxOf(a);
}

function includes(claim: Claim, value: unknown): boolean {
  if (claim.among !== undefined) return claim.among.has(value);
  return typeof value === 'number' && value >= minOf(claim) && value <= maxOf(claim);
}

function isAnything({ min, max, among }: Claim): boolean {
  return min === undefined && max === undefined && among === undefined;
}

function minOf({ min }: Claim): number {
  return min ?? Number.NEGATIVE_INFINITY;
}

function maxOf({ max }: Claim): number {
  return max ?? Infinity;
}
