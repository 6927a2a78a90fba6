import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import t from 'tap';
import { createEmptyDatabase } from '../helpers/postgres.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/migrate.js', import.meta.url));

async function run(environment: Record<string, string>) {
  const child = spawn(process.execPath, [SCRIPT], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
  }
  const [code] = await once(child, 'close');
  return { code, text };
}

t.test('it gives a database its shape, and says so', async (t) => {
  const { url } = await createEmptyDatabase(t);
  const { code, text } = await run({ DATABASE_URL: url });
  t.equal(code, 0);
  t.match(text, /has the shape of this version/);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  t.same((await client.query('SELECT count(*)::int AS n FROM tenants')).rows, [{ n: 0 }]);
  await client.end();
});

t.test('what keeps it from doing so is a sentence and exit code 1', async (t) => {
  const without = await run({});
  t.equal(without.code, 1);
  t.match(without.text, /^Set DATABASE_URL/);
  const wrong = await run({ DATABASE_URL: 'http://x' });
  t.equal(wrong.code, 1);
  t.match(wrong.text, /- DATABASE_URL must be/);
  t.notMatch(wrong.text, /\n {4}at /);
});
