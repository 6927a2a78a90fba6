// Owns what the service can be told from outside: the variables, their defaults and their rules. It is the
// only reader of process.env; everybody else is handed the part of the configuration that they need.

import { type JwtConfig, readJwt } from './config-jwt.js';
import { type Environment, EnvironmentReader } from './environment.js';

export const ROLES = ['all', 'api', 'worker'] as const;
export type Role = (typeof ROLES)[number];

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  role: Role;
  logLevel: LogLevel;
  host: string;
  /** 0 takes any free port. */
  port: number;
  bodyLimitBytes: number;
  /** Requests a minute and credential; 0 switches the limit off. */
  rateLimitPerMinute: number;
  /** Undefined: the service runs a Postgres of its own under `dataDir`. */
  databaseUrl: string | undefined;
  /** The owner's login, where `databaseUrl` is the login of a role that owns nothing. */
  databaseOwnerUrl: string | undefined;
  databasePoolMax: number;
  dataDir: string;
  bootstrapApiKey: string | undefined;
  adminApiKey: string | undefined;
  jwt: JwtConfig | undefined;
  /** Seals the secrets of webhook endpoints; undefined: one kept beside the embedded database, or none. */
  secretsKey: Buffer | undefined;
  webhookAllowPrivate: boolean;
  webhookAllowHttp: boolean;
  /** How long events, deliveries and attempts are kept; 0 for ever. */
  retentionDays: number;
  /** How long readiness says no before the listener closes, for balancers that take a while to notice. */
  drainDelayS: number;
  /** When a graceful stop is given up. */
  shutdownTimeoutS: number;
}

/** The embedded server takes 100 connections; some are left for whoever looks into it. */
const EMBEDDED_POOL_MAX = 85;

const POSTGRES = ['postgres:', 'postgresql:'];

const HOST = {
  pattern: /^[0-9A-Za-z.:_-]{1,253}$/,
  rule: 'must be a host name or an IP address to listen on',
};

const BOOTSTRAP_KEY = {
  pattern: /^pk_[0-9A-Za-z_-]{21,253}$/,
  rule: 'must begin with pk_ and have 24 to 256 characters in all: letters, digits, - and _',
};

const ADMIN_KEY = {
  pattern: /^[0-9A-Za-z._~+/-]{24,256}$/,
  rule: 'must have 24 to 256 characters: letters, digits and any of . _ ~ + / -',
};

export const loadConfig = (): Config => readConfig(process.env);

/** Throws ConfigError, which names every variable that cannot be used and why. */
export function readConfig(environment: Environment): Config {
  const reader = new EnvironmentReader(environment);
  const databaseUrl = reader.url('DATABASE_URL', POSTGRES);
  const databaseOwnerUrl = reader.url('DATABASE_OWNER_URL', POSTGRES);
  const bootstrapApiKey = reader.matching('BOOTSTRAP_API_KEY', BOOTSTRAP_KEY);
  const adminApiKey = reader.matching('ADMIN_API_KEY', ADMIN_KEY);
  const config: Config = {
    role: reader.choice('ROLE', ROLES, 'all'),
    logLevel: reader.choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    host: reader.matching('HOST', HOST) ?? '127.0.0.1',
    port: reader.integer('PORT', { fallback: 3000, min: 0, max: 65_535 }),
    bodyLimitBytes: reader.integer('BODY_LIMIT_BYTES', { fallback: 8_388_608, min: 1_024, max: 104_857_600 }),
    rateLimitPerMinute: reader.integer('RATE_LIMIT_PER_MINUTE', {
      fallback: 60_000,
      min: 0,
      max: 100_000_000,
    }),
    databaseUrl,
    databaseOwnerUrl,
    databasePoolMax: reader.integer('DATABASE_POOL_MAX', { fallback: 10, min: 2, max: 500 }),
    dataDir: reader.text('DATA_DIR') ?? '.perennial',
    bootstrapApiKey,
    adminApiKey,
    jwt: readJwt(reader),
    secretsKey: readSecretsKey(reader),
    webhookAllowPrivate: reader.flag('WEBHOOK_ALLOW_PRIVATE'),
    webhookAllowHttp: reader.flag('WEBHOOK_ALLOW_HTTP'),
    retentionDays: reader.integer('RETENTION_DAYS', { fallback: 90, min: 0, max: 36_500 }),
    drainDelayS: reader.integer('DRAIN_DELAY_S', { fallback: 0, min: 0, max: 300 }),
    shutdownTimeoutS: reader.integer('SHUTDOWN_TIMEOUT_S', { fallback: 25, min: 1, max: 600 }),
  };
  checkTogether(reader, config);
  reader.conclude();
  return config;
}

const SECRETS_KEY = {
  pattern: /^[A-Za-z0-9+/]{43}=$/,
  rule: 'must be 32 bytes in base64, for example from `openssl rand -base64 32`',
};

function readSecretsKey(reader: EnvironmentReader): Buffer | undefined {
  const key = reader.matching('SECRETS_KEY', SECRETS_KEY);
  return key === undefined ? undefined : Buffer.from(key, 'base64');
}

/** Faults that no variable shows by itself. */
function checkTogether(reader: EnvironmentReader, config: Config): void {
  // The raw text is asked: an unusable DATABASE_URL has its own fault and is not missing as well.
  if (config.databaseOwnerUrl !== undefined && reader.text('DATABASE_URL') === undefined) {
    reader.fault('DATABASE_URL', 'is required beside DATABASE_OWNER_URL');
  }
  if (config.databaseUrl === undefined && config.databasePoolMax > EMBEDDED_POOL_MAX) {
    reader.fault('DATABASE_POOL_MAX', `must be at most ${EMBEDDED_POOL_MAX} without DATABASE_URL`);
  }
  if (config.adminApiKey !== undefined && config.adminApiKey === config.bootstrapApiKey) {
    reader.fault('ADMIN_API_KEY', 'must differ from BOOTSTRAP_API_KEY');
  }
  if (config.drainDelayS >= config.shutdownTimeoutS) {
    reader.fault('DRAIN_DELAY_S', 'must be less than SHUTDOWN_TIMEOUT_S');
  }
}
