// Owns the failures that only HTTP knows, such as a method that a path does not take. Does not own those of
// the product (errors.ts).

export class HttpProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(detail);
  }
}
