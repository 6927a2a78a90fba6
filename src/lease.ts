// Owns until when a job holds what it has claimed.

/** By the clock of the moment: a run that lasts renews what it holds. */
export function leaseUntil({ clock }: { clock: () => Date }, leaseMs: number): Date {
  return new Date(clock().getTime() + leaseMs);
}
