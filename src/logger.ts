// Owns the log: its format and what must never stand in it. Does not own what is logged where. Bodies are
// not logged by anybody; paths are logged as route patterns, because references in them name people.

import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

export interface LoggerOptions {
  level: string;
  /** Standard output, unless a test wants to read along. */
  destination?: DestinationStream;
}

const SECRET_FIELDS = ['authorization', 'cookie', 'secret', 'apiKey', 'token', 'password', 'signature'];
const PERSONAL_FIELDS = ['email', 'phone', 'name', 'externalId', 'note', 'attributes', 'body', 'payload'];

/** Each field at the top of a line and one level down: enough for what is logged, and cheap to look for. */
const REDACTED = [...SECRET_FIELDS, ...PERSONAL_FIELDS].flatMap((field) => [field, `*.${field}`]);

export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: undefined,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeFailure, error: describeFailure },
    redact: { paths: REDACTED, censor: '[redacted]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

interface FailureLine {
  type: string;
  message: string;
  stack: string;
  code?: string;
  constraint?: string;
  cause?: FailureLine;
}

/**
 * The fields that are known to be harmless and no others: a database failure carries the offending row in
 * `detail`, and quotes the value in its message when the value is what was wrong (class 22).
 */
export function describeFailure(error: unknown): FailureLine | unknown {
  if (!(error instanceof Error)) return error;
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  const quotesValue = typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code);
  const line: FailureLine = {
    type: error.name,
    message: quotesValue ? error.message.replace(/".*"/s, '"…"') : error.message,
    stack: framesOf(error),
  };
  if (typeof code === 'string') line.code = code;
  if (typeof constraint === 'string') line.constraint = constraint;
  if (error.cause instanceof Error) line.cause = describeFailure(error.cause) as FailureLine;
  return line;
}

/** Without the first lines, which repeat the message. */
function framesOf(error: Error): string {
  const stack = stdSerializers.err(error).stack ?? '';
  const start = (error.stack ?? stack).indexOf('\n    at ');
  return start === -1 ? '' : (error.stack ?? stack).slice(start + 1);
}
