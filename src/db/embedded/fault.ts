// Owns the one kind of error that the embedded server fails to start with: its message is meant for the
// person who typed `npm start`, names the folder or process concerned, and says what to do.

export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

/** The system's code of an error such as `EACCES`, or undefined for errors of another origin. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
