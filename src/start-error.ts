// Owns the failure to start that needs no stack: its message tells whoever starts the service what to do.

export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
