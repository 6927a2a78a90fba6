import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hashKey } from '../src/api-keys/secret.js';
import { bootstrap } from '../src/bootstrap.js';
import { readConfig } from '../src/config.js';
import { SCOPES } from '../src/context.js';
import { openDatabase } from '../src/db/database.js';
import { createLogger } from '../src/logger.js';
import { buildServices } from '../src/services.js';
import { StartError } from '../src/start-error.js';
import { createTestDatabase } from './helpers/postgres.js';

const NOW = new Date('2026-03-02T09:00:00.000Z');
const KEY = `pk_${'c'.repeat(30)}`;

/** A service on an empty database, started as often as a test likes; `replica` is another process on the same one. */
async function build(t: Test) {
  const { url } = await createTestDatabase(t);
  const dataDir = await mkdtemp(join(tmpdir(), 'perennial-bootstrap-'));
  t.teardown(() => rm(dataDir, { recursive: true }));
  const replica = () => {
    const database = openDatabase({ url, onError: () => undefined });
    t.teardown(() => database.close());
    const wiring = {
      config: readConfig({}),
      database,
      clock: () => NOW,
      logger: createLogger({ level: 'silent' }),
    };
    const { tenants, keyHolders: holders } = buildServices(wiring);
    const lines: string[] = [];
    const logger = { info: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) };
    const start = (options: { chosenKey?: string; embedded?: boolean }) =>
      bootstrap({
        ...{ tenants, holders, now: NOW, logger: logger as never },
        chosenKey: options.chosenKey,
        dataDir: options.embedded === true ? dataDir : undefined,
      });
    return { start, lines, holders, database };
  };
  return { replica, keyFile: join(dataDir, 'api-key'), ...replica() };
}

t.test('an empty database gets the tenant `default` and the chosen key, with every scope', async (t) => {
  const { start, holders, database, lines } = await build(t);
  t.same(await start({ chosenKey: KEY }), {}, 'the operator knows the key already');
  const holder = await holders.find(hashKey(KEY));
  t.same([...(holder?.scopes ?? [])], SCOPES);
  const tenants = await database.find((finder) =>
    finder.rows({ text: 'SELECT id, slug, status FROM tenants' }),
  );
  t.same(tenants, [{ id: holder?.tenantId, slug: 'default', status: 'active' }]);
  t.same(await start({ chosenKey: KEY }), {}, 'a second start changes nothing');
  t.same(lines, []);
});

t.test('another chosen key on a database in use does nothing but say so', async (t) => {
  const { start, holders, lines } = await build(t);
  await start({ chosenKey: KEY });
  const other = `pk_${'d'.repeat(30)}`;
  await start({ chosenKey: other });
  t.equal(await holders.find(hashKey(other)), null);
  t.ok(await holders.find(hashKey(KEY)));
  t.equal(lines.length, 1);
  t.match(lines[0], /BOOTSTRAP_API_KEY has no effect/);
  t.notMatch(lines[0], other);
});

t.test('replicas that start at once open one tenant between them', async (t) => {
  const { replica, database } = await build(t);
  await Promise.all(Array.from({ length: 4 }, () => replica().start({ chosenKey: KEY })));
  const rows = await database.find((finder) =>
    finder.rows({
      text: 'SELECT t.slug, count(k.id)::int AS keys FROM tenants t JOIN api_keys k ON k.tenant_id = t.id GROUP BY 1',
    }),
  );
  t.same(rows, [{ slug: 'default', keys: 1 }]);
});

t.test(
  'without a chosen key the embedded database makes one, shows it once and keeps it from others',
  async (t) => {
    const { start, holders, keyFile } = await build(t);
    const first = await start({ embedded: true });
    t.match(first.key, /^pk_[0-9A-Za-z]{43}$/);
    t.equal(first.keyFile, keyFile);
    t.equal(await readFile(keyFile, 'utf8'), `${first.key}\n`);
    t.equal((await stat(keyFile)).mode & 0o777, 0o600);
    t.ok(await holders.find(hashKey(first.key ?? '')));
    t.same(await start({ embedded: true }), { keyFile }, 'a later start says where it is and not what');
    await rm(keyFile);
    t.same(await start({ embedded: true }), {}, 'and nothing where it is gone');
  },
);

t.test('a key that a crash left behind before the database committed is the one that counts', async (t) => {
  const { start, holders, keyFile } = await build(t);
  await writeFile(keyFile, `${KEY}\n`, { mode: 0o600 });
  t.match(await start({ embedded: true }), { key: KEY });
  t.ok(await holders.find(hashKey(KEY)));
});

t.test('a key file that holds no key ends the start with a sentence', async (t) => {
  const { start, keyFile, database } = await build(t);
  await writeFile(keyFile, 'something else\n');
  await chmod(keyFile, 0o600);
  const failure = await start({ embedded: true }).catch((error) => error);
  t.type(failure, StartError);
  t.match(failure.message, keyFile);
  t.same(
    await database.find((finder) => finder.rows({ text: 'SELECT id FROM tenants' })),
    [],
    'and opens nothing',
  );
});

t.test("somebody else's empty database without a chosen key is told what to do", async (t) => {
  const { start, lines } = await build(t);
  t.same(await start({}), {});
  t.match(lines, [/set BOOTSTRAP_API_KEY/]);
  await start({ chosenKey: KEY });
  await start({});
  t.equal(lines.length, 1, 'once there is a tenant there is nothing to say');
});
