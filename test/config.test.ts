import t from 'tap';
import { readConfig } from '../src/config.js';
import { ConfigError, type Environment } from '../src/environment.js';

const PUBLIC_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  kid: 'one',
};
const JWT = {
  JWT_JWKS: JSON.stringify({ keys: [PUBLIC_KEY] }),
  JWT_ISSUER: 'https://issuer.example',
  JWT_AUDIENCE: 'perennial',
  JWT_ALGORITHMS: 'EdDSA',
};

function faultsOf(environment: Environment): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ variable }) => variable);
  }
}

t.test('an empty environment gives the documented defaults', async (t) => {
  t.same(readConfig({}), {
    role: 'all',
    logLevel: 'info',
    host: '127.0.0.1',
    port: 3000,
    bodyLimitBytes: 8_388_608,
    rateLimitPerMinute: 60_000,
    databaseUrl: undefined,
    databaseOwnerUrl: undefined,
    databasePoolMax: 10,
    dataDir: '.perennial',
    bootstrapApiKey: undefined,
    adminApiKey: undefined,
    jwt: undefined,
    webhookAllowPrivate: false,
    webhookAllowHttp: false,
    retentionDays: 90,
    drainDelayS: 0,
    shutdownTimeoutS: 25,
  });
});

t.test('an empty or blank value counts as unset', async (t) => {
  t.equal(readConfig({ PORT: '', HOST: ' ', ADMIN_API_KEY: '' }).port, 3000);
});

t.test('every variable that is set arrives', async (t) => {
  const config = readConfig({
    ...JWT,
    PORT: '0',
    HOST: '::',
    ROLE: 'worker',
    LOG_LEVEL: 'silent',
    DATABASE_URL: 'postgresql://app:p%40ss@db.internal:6432/perennial?sslmode=require',
    DATABASE_OWNER_URL: 'postgres://owner@db.internal/perennial',
    DATABASE_POOL_MAX: '7',
    DATA_DIR: '/var/lib/perennial',
    BOOTSTRAP_API_KEY: `pk_${'a'.repeat(21)}`,
    ADMIN_API_KEY: 'b'.repeat(24),
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_ALLOW_HTTP: '1',
    RETENTION_DAYS: '0',
    RATE_LIMIT_PER_MINUTE: '0',
    BODY_LIMIT_BYTES: '2048',
    DRAIN_DELAY_S: '5',
    SHUTDOWN_TIMEOUT_S: '60',
    JWT_TENANT_CLAIM: 'https://claims.example/tenant',
    JWT_AUDIENCE: 'perennial, backup',
    JWT_ALGORITHMS: 'EdDSA ES256',
  });
  t.match(config, {
    port: 0,
    host: '::',
    role: 'worker',
    logLevel: 'silent',
    databaseUrl: 'postgresql://app:p%40ss@db.internal:6432/perennial?sslmode=require',
    databaseOwnerUrl: 'postgres://owner@db.internal/perennial',
    databasePoolMax: 7,
    dataDir: '/var/lib/perennial',
    bootstrapApiKey: `pk_${'a'.repeat(21)}`,
    adminApiKey: 'b'.repeat(24),
    webhookAllowPrivate: true,
    webhookAllowHttp: true,
    retentionDays: 0,
    rateLimitPerMinute: 0,
    bodyLimitBytes: 2048,
    drainDelayS: 5,
    shutdownTimeoutS: 60,
    jwt: {
      keys: { jwks: { keys: [PUBLIC_KEY] } },
      issuer: 'https://issuer.example',
      audience: ['perennial', 'backup'],
      algorithms: ['EdDSA', 'ES256'],
      tenantClaim: 'https://claims.example/tenant',
    },
  });
});

t.test('one error lists every fault by variable, and repeats no value', async (t) => {
  const secret = 'hunter2-hunter2';
  const environment = {
    PORT: '70000',
    HOST: 'no such host',
    ROLE: 'boss',
    DATABASE_OWNER_URL: `mysql://root:${secret}@db/x`,
    BOOTSTRAP_API_KEY: secret,
    WEBHOOK_ALLOW_PRIVATE: 'yes please',
    JWT_ISSUER: 'https://issuer.example',
  };
  const named = faultsOf(environment);
  for (const variable of Object.keys(environment)) {
    if (variable !== 'JWT_ISSUER') t.ok(named.includes(variable), `${variable} is named`);
  }
  for (const variable of ['JWT_AUDIENCE', 'JWT_ALGORITHMS', 'JWT_JWKS_URL'])
    t.ok(named.includes(variable), variable);
  t.notOk(named.includes('JWT_ISSUER'));
  let message = '';
  try {
    readConfig(environment);
  } catch (error) {
    message = (error as Error).message;
  }
  t.equal(message.split('\n').length, 1 + named.length, 'a headline and one line a fault');
  t.notMatch(message, secret, 'a secret that is set wrongly stays secret');
});

/** What each variable refuses, and nothing else may be at fault. */
const REFUSED: [variable: string, value: string, beside?: Environment][] = [
  ['PORT', '-1'],
  ['PORT', '65536'],
  ['PORT', '3e3'],
  ['PORT', '80.5'],
  ['PORT', 'http'],
  ['HOST', 'http://localhost'],
  ['ROLE', 'ALL'],
  ['LOG_LEVEL', 'verbose'],
  ['DATABASE_URL', 'localhost:5432'],
  ['DATABASE_URL', 'mysql://localhost/x'],
  ['DATABASE_POOL_MAX', '1'],
  ['DATABASE_POOL_MAX', '86'],
  ['DATABASE_POOL_MAX', '501', { DATABASE_URL: 'postgres://db/x' }],
  ['BOOTSTRAP_API_KEY', `pk_${'a'.repeat(20)}`],
  ['BOOTSTRAP_API_KEY', 'a'.repeat(30)],
  ['BOOTSTRAP_API_KEY', `pk_${'a'.repeat(20)} a`],
  ['ADMIN_API_KEY', 'a'.repeat(23)],
  ['ADMIN_API_KEY', `${'a'.repeat(30)}é`],
  ['WEBHOOK_ALLOW_HTTP', 'on'],
  ['RETENTION_DAYS', '-1'],
  ['RETENTION_DAYS', '90d'],
  ['RATE_LIMIT_PER_MINUTE', 'many'],
  ['BODY_LIMIT_BYTES', '10MB'],
  ['SHUTDOWN_TIMEOUT_S', '0'],
  ['DRAIN_DELAY_S', '25'],
  ['JWT_ALGORITHMS', 'HS256', JWT],
  ['JWT_ALGORITHMS', 'none', JWT],
  ['JWT_ALGORITHMS', 'EdDSA,HS512', JWT],
  ['JWT_JWKS', '{', JWT],
  ['JWT_JWKS', '{"keys":[]}', JWT],
  ['JWT_JWKS', '{"keys":[null]}', JWT],
  ['JWT_JWKS', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', JWT],
  ['JWT_JWKS', JSON.stringify({ keys: [{ ...PUBLIC_KEY, d: 'private' }] }), JWT],
  ['JWT_JWKS_URL', 'https://issuer.example/keys', JWT],
  ['JWT_JWKS_URL', 'http://issuer.example/keys', { ...JWT, JWT_JWKS: '' }],
  ['JWT_JWKS_URL', 'ftp://issuer.example/keys', { ...JWT, JWT_JWKS: '' }],
];

for (const [variable, value, beside] of REFUSED) {
  t.test(`${variable} refuses ${value.slice(0, 60)}`, async (t) => {
    t.same(faultsOf({ ...beside, [variable]: value }), [variable]);
  });
}

t.test('JWT settings are required together', async (t) => {
  for (const name of Object.keys(JWT)) {
    const named = name === 'JWT_JWKS' ? 'JWT_JWKS_URL' : name;
    t.same(faultsOf({ ...JWT, [name]: '' }), [named], `without ${name}`);
  }
  t.same(faultsOf({ JWT_TENANT_CLAIM: 'org' }).length, 4, 'a claim by itself believes nobody');
});

t.test('a key set may come over plain HTTP from this machine only', async (t) => {
  for (const host of ['localhost:8080', '127.0.0.1', '[::1]:9']) {
    t.same(faultsOf({ ...JWT, JWT_JWKS: '', JWT_JWKS_URL: `http://${host}/keys` }), []);
  }
});

t.test('faults that two variables have together', async (t) => {
  t.same(faultsOf({ DATABASE_OWNER_URL: 'postgres://owner@db/x' }), ['DATABASE_URL']);
  const key = `pk_${'a'.repeat(30)}`;
  t.same(faultsOf({ BOOTSTRAP_API_KEY: key, ADMIN_API_KEY: key }), ['ADMIN_API_KEY']);
});
